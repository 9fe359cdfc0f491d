"""Rollouts of the exported package with policies that need no model; prints one JSON line each.

    python rollout.py FOLDER_OF_THE_PACKAGE [oracle|idle …]

`oracle` makes the calls of the reference, `idle` only apologises. They answer as an endpoint of the Chat Completions API on
this machine, so that everything else is the real package: the environment, its tool server, the chat program, the reward.
"""

import asyncio
import json
import os
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

sys.path.insert(0, sys.argv[1])
os.environ["PYTHONPATH"] = os.pathsep.join([sys.argv[1], os.environ.get("PYTHONPATH", "")])  # for the tool server

from verifiers.v1.clients import EvalClientConfig, ModelContext  # noqa: E402
from verifiers.v1.utils.loaders import load_environment, resolve_env_config  # noqa: E402

from gem_worlds.gem.environments.kit.play import Worlds, rows  # noqa: E402


def answer(policy: list[list[dict]], messages: list[dict]) -> dict:
    """What the policy says next: the calls that are left of those before the reference's next message of the user."""
    heard = sum(message["role"] == "user" for message in messages)
    done = sum(message["role"] == "tool" for message in messages)
    due = [call for turn in policy[:heard] for call in turn]
    if done >= len(due):
        return {"role": "assistant", "content": "That is done."}
    call = due[done]
    function = {"name": call["name"], "arguments": json.dumps(call["arguments"])}
    return {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": f"call_{done}", "type": "function", "function": function}],
    }


def turns(steps: list[dict]) -> list[list[dict]]:
    """The calls of each turn."""
    found: list[list[dict]] = []
    for step in steps:
        if step["kind"] == "turn":
            found.append([])
        elif step["kind"] == "call":
            found[-1].append(step)
    return found


def streamed(model: str, message: dict) -> list[dict]:
    """The message as chunks of a stream."""
    calls = [{"index": 0, **call} for call in message.get("tool_calls", [])]
    delta = {**message, **({"tool_calls": calls} if calls else {})}
    end = {"index": 0, "delta": {}, "finish_reason": "tool_calls" if calls else "stop"}
    shared = {"id": "1", "object": "chat.completion.chunk", "created": 0, "model": model}
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    first = {**shared, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
    return [first, {**shared, "choices": [end]}, {**shared, "choices": [], "usage": usage}]


def serving(policy: list[list[dict]]) -> ThreadingHTTPServer:
    """An endpoint that answers by a policy."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            message = answer(policy, asked["messages"])
            body = "".join(f"data: {json.dumps(each)}\n\n" for each in streamed(asked["model"], message))
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.end_headers()
            self.wfile.write(f"{body}data: [DONE]\n\n".encode())

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


async def main() -> None:
    worlds = Worlds(Path(sys.argv[1]) / "gem_worlds" / "data")
    config = resolve_env_config({"taskset": {"id": "gem-worlds"}, "scripted_user": True})
    env = load_environment(config)
    by_id = {row.id: row for row in rows(Path(sys.argv[1]) / "gem_worlds" / "data")}
    async with env.serving():
        for task in env.taskset:
            for name in sys.argv[2:] or ["oracle", "idle"]:
                policy = turns(await worlds.oracle(by_id[task.data.id])) if name == "oracle" else []
                server = serving(policy)
                url = f"http://127.0.0.1:{server.server_address[1]}/v1"
                os.environ["ROLLOUT_KEY"] = "none"
                client = EvalClientConfig(base_url=url, api_key_var="ROLLOUT_KEY")
                (slot,) = env.slots(task)
                episode = await env.run_slot(slot, ModelContext(model="scripted", client=client))
                (trace,) = (each for each in episode.traces if each.agent.name == "assistant")
                errors = [str(each)[:2000] for each in (*episode.errors, *trace.errors)]
                told = trace.info.get("gem_worlds", {})
                print(
                    json.dumps(
                        {
                            "task": task.data.id,
                            "policy": name,
                            "reward": trace.reward,
                            "errors": errors,
                            "steps": told.get("steps"),
                            "reasons": told.get("reasons"),
                        }
                    ),
                    flush=True,
                )
                server.shutdown()
    worlds.close()


asyncio.run(main())
