"""What is wrong with a reference that was carried out."""

from collections.abc import Iterator
from typing import NamedTuple

from gem_tasks.domain.base import Json
from gem_tasks.worlds.goals.conditions import broken
from gem_tasks.worlds.goals.judged import Goal
from gem_tasks.worlds.goals.mutants import writes
from gem_tasks.worlds.goals.run import Run, happened, refused, told
from gem_tasks.worlds.steps import Answer, Call
from gem_tasks.worlds.task import Task, Variant
from gem_tasks.worlds.world import World

_NEVER = {"UNKNOWN_TOOL", "INVALID_ARGUMENTS"}
_MOST = 200


class Carried(NamedTuple):
    """A reference after it was carried out."""

    variant: Variant
    run: Run
    again: Run
    """With another seed."""
    goal: Goal


def faults_of(carried: Carried, world: World, task: Task) -> list[str]:
    """Why a reference is not right, in words for its writer."""
    found = list(_faults(carried, world, task))
    if not found and not carried.goal.verdict(carried.again).reached:
        return ["its reference depends on the number of a new record: take it from a result, as in $3.id"]
    return found


def _faults(carried: Carried, world: World, task: Task) -> Iterator[str]:
    variant, run = carried.variant, carried.run
    yield from run.findings
    yield from _refusals(carried, {tool.name for tool in world.tools if tool.reads})
    yield from broken(task.conditions, run, variant.scenario)
    for name in sorted(
        variant.scenario.events.keys() - task.deeds.keys() - happened(world, variant.scenario, run.steps)
    ):
        yield f"the event {name} does not happen in its reference: its trigger fits no call or turn"
    for fault in variant.scenario.faults:
        if not any(answer.result == fault.answer for answer in run.answers):
            yield f"the fault {fault.kind} of {fault.tool} does not occur in its reference"
    made = {name for at in writes(run, world, variant.scenario) for name in run.answers[at].changed}
    if variant.ending == "impossible" and made & set(task.tables):
        yield f"it ends as impossible, but its reference changes {', '.join(sorted(made & set(task.tables)))}"
    if variant.ending == "done" and not made & set(task.tables):
        yield "it ends as done, but its reference changes no outcome table"


def _refusals(carried: Carried, reads: set[str]) -> Iterator[str]:
    """Changes that are refused, although no fault did it, no later one of the tool succeeds, and it can be done.

    A lookup may find nothing.
    """
    pairs = [
        (step, each)
        for step, each in zip(carried.run.steps, carried.run.answers, strict=True)
        if isinstance(step, Call)
    ]
    faults = [fault.answer for fault in carried.variant.scenario.faults]
    for number, (call, answer) in enumerate(pairs, 1):
        later = any(other.name == call.name and not refused(each) for other, each in pairs[number:])
        code = _error(answer).get("code")
        excused = later or call.name in reads or carried.variant.ending == "impossible" or answer.result in faults
        if refused(answer) and (code in _NEVER or not excused):
            text = f"{code}: {_error(answer).get('message')}"
            yield f"call {number} of its reference, {told(call)}, is refused: {text[:_MOST]}"


def _error(answer: Answer) -> Json:
    error = (answer.result or {}).get("error")
    return error if isinstance(error, dict) else {"code": error}  # pyright: ignore[reportUnknownVariableType]
