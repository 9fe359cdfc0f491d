"""The cases of the benchmark: every variant of every task of every world. Pure."""

import json
from collections.abc import Iterable, Sequence
from functools import cached_property
from hashlib import sha256

from gem_tasks.domain.base import Value
from gem_tasks.domain.workflow import ToolSpec
from gem_tasks.errors import UserError
from gem_tasks.worlds.built import world_id
from gem_tasks.worlds.played import Replayable
from gem_tasks.worlds.task import Task, Variant
from gem_tasks.worlds.world import Tool

IDLE = "idle"
"""The kind of cases whose goal a conversation without any call reaches. They are scored apart: see `admission`."""
_ID = 12


class Case(Value):
    """One variant of a task in its world."""

    shelf: Replayable
    number: int
    """Position of the task among those of the world."""
    position: int
    """Position of the variant among those of the task."""

    @property
    def task(self) -> Task:
        """What the user wants."""
        return self.shelf.tasks[self.number]

    @property
    def variant(self) -> Variant:
        """What happens around it, with the reference."""
        return self.task.variants[self.position]

    @cached_property
    def case_id(self) -> str:
        """`world/task/variant`; its first two parts are the task's id."""
        return f"{world_id(self.shelf.world)[:_ID]}/{self.number}/{self.variant.name}"

    @property
    def tools(self) -> tuple[ToolSpec, ...]:
        """What the assistant sees: the described tools, otherwise those of the world."""
        if self.shelf.tools:
            return self.shelf.tools
        return tuple(ToolSpec(name=each.name, description="", parameters=each.parameters) for each in self._own)

    @property
    def _own(self) -> Sequence[Tool]:
        return self.shelf.world.tools

    @property
    def kind(self) -> str:
        """`impossible`, otherwise what happens: `fault`, `event`, `fault+event`; or `plain`."""
        scenario = self.variant.scenario
        if self.variant.ending == "impossible":
            return "impossible"
        happens = any(event.trigger for event in scenario.events.values())
        return "+".join(["fault"] * bool(scenario.faults) + ["event"] * happens) or "plain"


def task_of(case_id: str) -> str:
    """The id of a case's task."""
    return "/".join(case_id.split("/", 2)[:2])


def cases_of(shelves: Iterable[Replayable], tasks: int | None = None) -> list[Case]:
    """All cases, in the order of their ids, each once.

    Args:
        shelves: worlds with tasks.
        tasks: only the first tasks of that order.

    Raises:
        UserError: there is no task.
    """
    found = {
        case.case_id: case
        for shelf in shelves
        for number, task in enumerate(shelf.tasks)
        for case in (Case(shelf=shelf, number=number, position=at) for at in range(len(task.variants)))
    }
    chosen = sorted({task_of(each) for each in found}, key=_order)[:tasks]
    if not chosen:
        raise UserError("There is no task of a world", "Name a set, a partition or exported worlds with tasks.")
    return [found[each] for each in sorted(found, key=lambda each: (_order(each), each)) if task_of(each) in chosen]


def _order(case_id: str) -> tuple[str, int]:
    world, number = task_of(case_id).split("/")
    return world, int(number)


def set_id(cases: Sequence[Case]) -> str:
    """Names the set of tasks by its content: worlds, tools, tasks and variants. Scores of different sets differ."""
    contents = [
        [each.case_id, world_id(each.shelf.world), each.number, each.task.model_dump(mode="json"), _described(each)]
        for each in cases
    ]
    return sha256(json.dumps(contents, sort_keys=True).encode()).hexdigest()[:_ID]


def _described(case: Case) -> list[object]:
    return [tool.model_dump(mode="json") for tool in case.tools]
