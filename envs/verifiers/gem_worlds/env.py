"""The conversation: the assistant under training, and a user who is a model or follows a script."""

import contextlib

import verifiers.v1 as vf

from gem_worlds.gem.environments.kit.play import turned
from gem_worlds.gem.environments.kit.user import Said, scripted, spoken


class WorldsEnvConfig(vf.EnvConfig):
    """The two players. Both are plain chat loops on this machine: a shell would show the assistant the goals."""

    assistant: vf.AgentConfig = vf.AgentConfig(
        harness={"id": "null"}, runtime=vf.SubprocessConfig(), max_turns=100
    )
    user: vf.AgentConfig = vf.AgentConfig(harness={"id": "null"}, runtime=vf.SubprocessConfig(), max_turns=26)
    """The model that plays the user: `--env.user.model`, `--env.user.client.base-url`."""
    scripted_user: bool = False
    """No model: the user says the wishes in order and does the deeds, and does not listen to the assistant."""
    most_messages: int = 25
    """Messages of the user after which the conversation ends."""


class WorldsEnv(vf.Env[WorldsEnvConfig]):
    """One conversation per episode."""

    async def setup(self, agents):
        agents.user.trainable = False

    async def run(self, task, agents):
        row = task.data.row
        async with contextlib.AsyncExitStack() as stack:
            if self.config.scripted_user:
                user = _Script(row)
            else:
                briefing = vf.TaskData(idx=task.data.idx, prompt=None, system_prompt=row.user[0]["content"])
                user = _Model(row, await stack.enter_async_context(agents.user.interaction(vf.Task(briefing))))
            assistant = await stack.enter_async_context(agents.assistant.interaction(task))
            await self._talk(user, assistant)

    async def _talk(self, user, assistant):
        heard = None
        for _ in range(self.config.most_messages):
            said = await user.says(heard)
            if said is None or not said.words:
                return
            assistant.trace.state.steps = [*assistant.trace.state.steps, *turned(said.deeds)]
            answer = await assistant.turn(said.words)
            if answer.terminated or said.stops:
                return
            heard = answer.last_reply


class _Script:
    """A user with prepared messages."""

    def __init__(self, row):
        self._messages = scripted(row.script, row.deeds)

    async def says(self, heard: str | None) -> Said | None:
        del heard
        return next(self._messages, None)


class _Model:
    """A user who is a model."""

    def __init__(self, row, interaction):
        self._briefing, self._interaction, self._left = row.user[1]["content"], interaction, set(row.deeds)

    async def says(self, heard: str | None) -> Said | None:
        segment = await self._interaction.turn(self._briefing if heard is None else heard)
        if segment.terminated:
            return None
        said = spoken(segment.last_reply, self._left)
        self._left -= set(said.deeds)
        return said
