"""Rollouts of the exported resources server with policies that need no model; prints one JSON line each.

    python rollout.py FOLDER [oracle|idle …]        FOLDER holds resources_servers/gem_worlds

`oracle` makes the calls of the reference, `idle` only apologises. The real parts are NeMo Gym's gymnasium agent, its HTTP client
and its server classes, each server on a free port of this machine; the model's server answers by the policy.
"""

import asyncio
import json
import socket
import sys
import threading
import time
from pathlib import Path

FOLDER, *POLICIES = sys.argv[1:]
sys.argv = sys.argv[:1]  # NeMo Gym reads its configuration from the command line
sys.path.insert(0, FOLDER)

import uvicorn  # noqa: E402
from fastapi import FastAPI, Request  # noqa: E402
from nemo_gym.config_types import BaseServerConfig, ModelServerRef, ResourcesServerRef  # noqa: E402
from nemo_gym.server_utils import ServerClient  # noqa: E402
from omegaconf import OmegaConf  # noqa: E402
from responses_api_agents.gymnasium_agent.app import (  # noqa: E402
    GymnasiumAgent,
    GymnasiumAgentConfig,
    GymnasiumAgentRunRequest,
)

from resources_servers.gem_worlds.app import GemWorlds, GemWorldsConfig  # noqa: E402

DATA = Path(FOLDER) / "resources_servers" / "gem_worlds" / "data"
HOST = "127.0.0.1"


def answer(policy: list[list[dict]], items: list[dict]) -> dict:
    """The next item: a call that is left of those before the reference's next message of the user, or words."""
    heard = sum(item.get("role") == "user" for item in items)
    done = sum(item.get("type") == "function_call_output" for item in items)
    due = [call for turn in policy[:heard] for call in turn]
    if done < len(due):
        arguments = json.dumps(due[done]["arguments"])
        return {"type": "function_call", "call_id": f"c{done}", "name": due[done]["name"], "arguments": arguments}
    text = {"type": "output_text", "text": "That is done.", "annotations": []}
    return {"type": "message", "id": f"m{heard}", "role": "assistant", "status": "completed", "content": [text]}


def turns(steps: list[dict]) -> list[list[dict]]:
    """The calls of each turn."""
    found: list[list[dict]] = []
    for step in steps:
        if step["kind"] == "turn":
            found.append([])
        elif step["kind"] == "call":
            found[-1].append(step)
    return found


class Model:
    """A server of the Responses API that answers by `policy`."""

    def __init__(self) -> None:
        self.policy: list[list[dict]] = []
        self.app = FastAPI()

        @self.app.post("/v1/responses")
        async def respond(request: Request) -> dict:
            asked = await request.json()
            shared = {"id": "r", "created_at": 0.0, "model": "scripted", "object": "response", "tools": []}
            item = answer(self.policy, asked["input"])
            return {**shared, "output": [item], "parallel_tool_calls": True, "tool_choice": "auto"}


def served(app: FastAPI, port: int) -> None:
    """Serves an app in a thread."""
    server = uvicorn.Server(uvicorn.Config(app, host=HOST, port=port, log_level="error"))
    threading.Thread(target=server.run, daemon=True).start()
    while not server.started:
        time.sleep(0.01)


def free() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]


async def main() -> None:
    ports = {"gem_worlds": free(), "policy_model": free()}
    kinds = {"gem_worlds": "resources_servers", "policy_model": "responses_api_models"}
    config = {name: {kinds[name]: {name: {"host": HOST, "port": port}}} for name, port in ports.items()}
    client = ServerClient(
        head_server_config=BaseServerConfig(host=HOST, port=1), global_config_dict=OmegaConf.create(config)
    )
    shared = {"host": HOST, "entrypoint": "app.py"}
    resources = GemWorlds(
        config=GemWorldsConfig(name="gem_worlds", port=ports["gem_worlds"], **shared), server_client=client
    )
    model = Model()
    served(resources.setup_webserver(), ports["gem_worlds"])
    served(model.app, ports["policy_model"])
    agent = GymnasiumAgent(
        config=GymnasiumAgentConfig(
            name="gem_worlds_agent",
            port=2,
            resources_server=ResourcesServerRef(type="resources_servers", name="gem_worlds"),
            model_server=ModelServerRef(type="responses_api_models", name="policy_model"),
            max_steps=120,
            **shared,
        ),
        server_client=client,
    )
    for line in (DATA / "train.jsonl").read_text("utf-8").splitlines():
        row = json.loads(line)
        from resources_servers.gem_worlds.gem.environments.kit.play import Row

        for name in POLICIES or ["oracle", "idle"]:
            reference = await resources._worlds.oracle(Row.model_validate(row["gem"]))
            model.policy = turns(reference) if name == "oracle" else []
            request = Request({"type": "http", "headers": [], "session": {}})
            found = await agent.run(request, GymnasiumAgentRunRequest.model_validate(row))
            told = {"task": row["gem"]["id"], "policy": name, "reward": found.reward, "terminated": found.terminated}
            print(json.dumps({**told, **found.info}), flush=True)


asyncio.run(main())
