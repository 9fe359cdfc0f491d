"""The tasks, and the reward: 1 if the conversation reached the goal, otherwise 0."""

import uuid
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import verifiers.v1 as vf

from gem_worlds.gem.environments.kit.play import Row, Worlds, rows
from gem_worlds.servers.tools import WorldsState, WorldsToolset

DATA = Path(__file__).parent / "data"


@cache
def _worlds() -> Worlds:
    return Worlds(DATA)


class WorldsData(vf.TaskData):
    """A row: the task in one variant. Goal, reference and variant's events stay in the package's files."""

    row: Row


class WorldsTaskConfig(vf.TaskConfig):
    """Knobs of a task."""


class WorldsTask(vf.Task[WorldsData, WorldsState, WorldsTaskConfig]):
    """One task."""

    @property
    def key(self) -> str:
        return self.data.row.id

    async def setup(self, trace: vf.Trace, runtime: vf.Runtime) -> None:
        trace.state.row = self.data.row
        trace.state.rollout = uuid.uuid4().hex

    @vf.reward(weight=1.0)
    async def goal_reached(self, trace: vf.Trace) -> float:
        verdict = await _worlds().verdict(self.data.row, trace.state.steps)
        trace.info["gem_worlds"] = {"reasons": list(verdict.reasons), "steps": trace.state.steps}
        return float(verdict.reached)

    @vf.metric
    async def calls(self, trace: vf.Trace) -> float:
        return float(sum(step["kind"] == "call" for step in trace.state.steps))

    async def validate(self, runtime: vf.Runtime) -> bool | None:
        """The reference reaches the goal, and no call at all does not."""
        worlds, row = _worlds(), self.data.row
        reference = await worlds.oracle(row)
        idle = [step for step in reference if step["kind"] == "turn"]
        return (await worlds.verdict(row, reference)).reached and not (await worlds.verdict(row, idle)).reached


class WorldsConfig(vf.TasksetConfig):
    """Which tasks load."""

    kinds: list[str] = []
    """Only these kinds: `plain`, `event`, `fault`, `fault+event`, `impossible`. Empty: all."""
    tools: vf.SharedToolsetConfig = vf.SharedToolsetConfig()
    task: WorldsTaskConfig = WorldsTaskConfig()


class WorldsTaskset(vf.Taskset[WorldsTask, WorldsConfig]):
    """All tasks of the package."""

    @classmethod
    def toolsets(cls, config: WorldsConfig) -> list[vf.Toolset]:
        return [WorldsToolset(config.tools)]

    def load(self) -> Iterable[WorldsTask]:
        for row in rows(DATA):
            if not self.config.kinds or row.kind in self.config.kinds:
                data = WorldsData(id=row.id, name=row.title, prompt=None, system_prompt=row.system, row=row)
                yield WorldsTask(data, self.config.task)
