"""A run: steps, what they led to, and the state that they left."""

import json
from collections.abc import Sequence
from typing import NamedTuple

from gem_tasks.worlds.course import Course
from gem_tasks.worlds.scenario import Scenario
from gem_tasks.worlds.session import Session
from gem_tasks.worlds.steps import Answer, Call, Snapshot, Step
from gem_tasks.worlds.world import World

_MOST = 160
_AT_FAULT = {"world": "the world is at fault in", "scenario": "the code fails of the event"}


class Run(NamedTuple):
    """Steps that were taken from the world's first state on."""

    steps: tuple[Step, ...]
    answers: tuple[Answer, ...]
    first: Snapshot
    last: Snapshot

    @property
    def findings(self) -> tuple[str, ...]:
        """Faults of the world, and of the scenario's events, in words."""
        found = (each for answer in self.answers for each in answer.findings)
        return tuple(f"{_AT_FAULT[each.fault_of]} {each.where}: {each.reason}: {each.detail}" for each in found)

    @property
    def arguments(self) -> str:
        """Arguments of all calls, as JSON."""
        return json.dumps([step.arguments for step in self.steps if isinstance(step, Call)], ensure_ascii=False)


def ran(session: Session, steps: Sequence[Step]) -> Run:
    """Takes the steps from the first state on.

    Raises:
        ValueError: a deed that the scenario does not have.
    """
    session.restart()
    first = session.state
    answers = tuple(session.take(steps))
    return Run(tuple(steps), answers, first, session.state)


def happened(world: World, scenario: Scenario, steps: Sequence[Step]) -> frozenset[str]:
    """Events of the scenario that these steps lead to, deeds included.

    Raises:
        ValueError: a deed that the scenario does not have.
    """
    course = Course(world, scenario)
    operations = (operation for step in steps for operation in course.plan(step).operations)
    return frozenset(operation.name for operation in operations if operation.kind == "event")


def refused(answer: Answer) -> bool:
    """Whether the call's result is an error."""
    return answer.result is not None and answer.result.get("error") is not None


def carried_out(call: Call, answer: Answer, scenario: Scenario) -> bool:
    """Whether the call took effect: it succeeded, or only its answer was lost."""
    lost = [fault.answer for fault in scenario.faults if fault.kind == "timeout" and fault.tool == call.name]
    return not refused(answer) or any(answer.result == each for each in lost)


def told(call: Call) -> str:
    """A call for a person to read."""
    text = json.dumps(call.arguments, ensure_ascii=False)
    return f"{call.name}({text if len(text) <= _MOST else f'{text[:_MOST]}…'})"
