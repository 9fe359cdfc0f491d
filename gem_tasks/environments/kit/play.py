"""Plays the tasks of an exported environment: results of calls, and whether the goal was reached.

A conversation is only its steps: each answer comes from taking all of them, in a child of the world that runs already
(milliseconds). So nothing has to be kept between calls, and several processes can serve one conversation.
"""

import asyncio
import json
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import Field, TypeAdapter

from gem_tasks.confine.job import SandboxMode
from gem_tasks.domain.base import Json, Value
from gem_tasks.worlds.goals.judged import Verdict, goal_in
from gem_tasks.worlds.goals.resolved import resolved
from gem_tasks.worlds.goals.run import ran
from gem_tasks.worlds.played import Replayable
from gem_tasks.worlds.pool import Pool
from gem_tasks.worlds.steps import Call, Deed, Step, Turn

_STEPS: TypeAdapter[list[Step]] = TypeAdapter(list[Step])
_MOST_STEPS = 2_000


class Row(Value):
    """One task in one variant: a line of `tasks.jsonl`."""

    id: str
    """`world/task/variant`."""
    world: str
    """Name of the file of its world."""
    task: int
    variant: str
    kind: str
    """`plain`, `event`, `fault`, `fault+event` or `impossible`."""
    seed: int = 0
    title: str
    system: str
    """The system message of the assistant."""
    tools: tuple[Json, ...]
    """In the form of the Chat Completions API."""
    user: tuple[dict[str, str], ...]
    """The first messages of a model that plays the user: role and content."""
    script: tuple[str, ...]
    """What a scripted user answers, in order; deeds and the end are tags, as a model writes them."""
    deeds: dict[str, str] = Field(default_factory=dict)
    document: str = ""
    """Id of the text that it was made from."""


def rows(folder: Path) -> list[Row]:
    """The tasks of a package."""
    lines = (folder / "tasks.jsonl").read_text("utf-8").split("\n")
    return [Row.model_validate_json(line) for line in lines if line.strip()]


def steps_of(plain: Sequence[Json]) -> list[Step]:
    """Steps from JSON.

    Raises:
        ValueError: they are none, or too many.
    """
    if len(plain) > _MOST_STEPS:
        raise ValueError(f"more than {_MOST_STEPS:,} steps")
    return _STEPS.validate_python(list(plain))


def called(name: str, arguments: Any) -> Json:
    """A call as a step."""
    return Call(name=name, arguments=arguments).model_dump(mode="json")


def turned(deeds: Sequence[str]) -> list[Json]:
    """A message of the user as steps: what the user did before, then the message."""
    done: list[Step] = [*(Deed(name=name) for name in deeds), Turn()]
    return [step.model_dump(mode="json") for step in done]


class Worlds:
    """The worlds of a package.

    Args:
        folder: with `worlds/*.json`.
        mode: strictness of the sandbox in which a world's code runs.
    """

    def __init__(self, folder: Path, mode: SandboxMode = "auto") -> None:
        most = max(2, os.cpu_count() or 2)
        self._folder = folder
        self._pool = Pool(most, mode)
        # Threads that stay: the kernel ends a confined process with its parent's thread.
        self._threads = ThreadPoolExecutor(most, thread_name_prefix="world")
        self._loaded = cache(self._load)

    async def result(self, row: Row, plain: Sequence[Json]) -> Json:
        """The result of the last step, a call."""
        return await asyncio.wrap_future(self._threads.submit(self._result, row, plain))

    async def verdict(self, row: Row, plain: Sequence[Json]) -> Verdict:
        """Whether the steps reach the goal."""
        return await asyncio.wrap_future(self._threads.submit(self._verdict, row, plain))

    async def oracle(self, row: Row) -> list[Json]:
        """The steps of the reference, with the ids of the row's seed: a policy that reaches the goal."""
        return await asyncio.wrap_future(self._threads.submit(self._oracle, row))

    def close(self) -> None:
        """Ends all processes."""
        self._pool.close()
        self._threads.shutdown()

    def _load(self, world: str) -> Replayable:
        return Replayable.model_validate_json((self._folder / "worlds" / world).read_bytes())

    def _result(self, row: Row, plain: Sequence[Json]) -> Json:
        shelf = self._loaded(row.world)
        variant = shelf.tasks[row.task].variant(row.variant)
        with self._pool.opened(shelf.world, variant.scenario, seed=row.seed) as session:
            return session.take(steps_of(plain))[-1].result or {}

    def _verdict(self, row: Row, plain: Sequence[Json]) -> Verdict:
        shelf = self._loaded(row.world)
        task = shelf.tasks[row.task]
        variant = task.variant(row.variant)
        with self._pool.opened(shelf.world, variant.scenario, seed=row.seed) as session:
            return goal_in(session, shelf.world, task, variant).verdict(ran(session, steps_of(plain)))

    def _oracle(self, row: Row) -> list[Json]:
        shelf = self._loaded(row.world)
        variant = shelf.tasks[row.task].variant(row.variant)
        with self._pool.opened(shelf.world, variant.scenario, seed=row.seed) as session:
            return [step.model_dump(mode="json") for step in resolved(session, variant.reference)]


def shown(result: Json) -> str:
    """A result as the assistant sees it."""
    return json.dumps(result, ensure_ascii=False)
