"""Tasks in worlds made from texts, for NeMo Gym's gymnasium agent: tools that really run, a user, a goal that decides."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Optional

from nemo_gym.base_resources_server import BaseResourcesServerConfig
from nemo_gym.config_types import ModelServerRef
from nemo_gym.openai_utils import NeMoGymResponse
from nemo_gym.server_utils import get_response_json, raise_for_status
from pydantic import Field, PrivateAttr
from resources_servers.gymnasium import GymnasiumServer, extract_text

from resources_servers.gem_worlds.gem.environments.kit.play import Row, Worlds, called, shown, turned
from resources_servers.gem_worlds.gem.environments.kit.user import Said, scripted, spoken

DATA = Path(__file__).parent / "data"


class GemWorldsConfig(BaseResourcesServerConfig):
    """Who plays the user, and when a conversation ends."""

    user_model_server: Optional[ModelServerRef] = None
    """The model that plays the user; without one, the user follows a script."""
    most_messages: int = 25
    """Messages of the user after which the conversation ends."""


class _Episode:
    """One conversation."""

    def __init__(self, row: Row, says: Callable[[Optional[str]], Awaitable[Optional[Said]]]) -> None:
        self.row, self.says = row, says
        self.steps: list[dict[str, Any]] = []
        self.messages = 0
        self.leaves = False
        self.lock = asyncio.Lock()


class GemWorlds(GymnasiumServer):
    """`reset` brings the user's first message; each `step` brings results of calls, or the user's next message."""

    ray_enabled = False
    config: GemWorldsConfig
    episodes: dict[str, Any] = Field(default_factory=dict)
    _worlds: Worlds = PrivateAttr(default_factory=lambda: Worlds(DATA))

    async def reset(self, metadata: dict, session_id: Optional[str] = None) -> tuple[Optional[str], dict]:
        row = Row.model_validate(metadata["gem"])
        episode = _Episode(row, self._script(row) if self.config.user_model_server is None else self._model(row))
        self.episodes[session_id] = episode
        said = await episode.says(None)
        self._hear(episode, said)
        return said.words if said else None, {}

    async def step(
        self, action: NeMoGymResponse, metadata: dict, session_id: Optional[str] = None
    ) -> tuple[Optional[str], float, bool, bool, dict]:
        episode = self.episodes[session_id]
        async with episode.lock:
            calls = [item for item in action.output if item.type == "function_call"]
            if calls:
                return None, 0.0, False, False, {"tool_outputs": [await self._called(episode, call) for call in calls]}
            return await self._answered(episode, extract_text(action))

    async def _called(self, episode: _Episode, call: Any) -> dict[str, str]:
        try:
            arguments = json.loads(call.arguments or "{}")
        except ValueError:
            arguments = call.arguments  # the world answers that this is no object
        episode.steps.append(called(call.name, arguments))
        return {"call_id": call.call_id, "output": shown(await self._worlds.result(episode.row, episode.steps))}

    async def _answered(self, episode: _Episode, text: str) -> tuple[Optional[str], float, bool, bool, dict]:
        full = episode.messages >= self.config.most_messages
        said = None if episode.leaves or full else await episode.says(text)
        if said is None or not said.words:
            verdict = await self._worlds.verdict(episode.row, episode.steps)
            info = {"reasons": list(verdict.reasons), "steps": episode.steps}
            return None, float(verdict.reached), not full, full, info
        self._hear(episode, said)
        return said.words, 0.0, False, False, {}

    def _hear(self, episode: _Episode, said: Optional[Said]) -> None:
        if said and said.words:
            episode.steps += turned(said.deeds)
            episode.messages += 1
            episode.leaves = said.stops

    def _script(self, row: Row) -> Callable[[Optional[str]], Awaitable[Optional[Said]]]:
        messages = scripted(row.script, row.deeds)

        async def says(_: Optional[str]) -> Optional[Said]:
            return next(messages, None)

        return says

    def _model(self, row: Row) -> Callable[[Optional[str]], Awaitable[Optional[Said]]]:
        context: list[dict[str, str]] = list(row.user)
        left = set(row.deeds)

        async def says(heard: Optional[str]) -> Optional[Said]:
            if heard is not None:
                context.append({"role": "user", "content": heard})
            reply = await self.server_client.post(
                server_name=self.config.user_model_server.name, url_path="/v1/responses", json={"input": context}
            )
            await raise_for_status(reply)
            answer = extract_text(NeMoGymResponse.model_validate(await get_response_json(reply)))
            context.append({"role": "assistant", "content": answer})
            said = spoken(answer, left)
            left.difference_update(said.deeds)
            return said

        return says

    def _cleanup_session(self, session_id: Optional[str]) -> None:
        self.episodes.pop(session_id, None)
        super()._cleanup_session(session_id)


if __name__ == "__main__":
    GemWorlds.run_webserver()
