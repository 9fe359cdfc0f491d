"""Whether a call fails without the change that the workflow requires before it."""

from collections.abc import Iterator, Sequence
from typing import Any

from gem_tasks.domain.base import Json
from gem_tasks.domain.workflow import Requirement
from gem_tasks.worlds.steps import Call, Snapshot
from gem_tasks.worlds.trials.bench import Bench, Tried, tables
from gem_tasks.worlds.trials.failure import Failure, short
from gem_tasks.worlds.trials.runs import Way, played

_OTHERS = 20
"""Other records in which to look for an order."""


def unordered(bench: Bench, run: Sequence[Call], way: Way, requires: Sequence[Requirement]) -> Iterator[Failure | None]:
    """For every requirement that the run shows: the run without `after`, in which `tool` has to fail at least once.

    No trial: `after` is a lookup, of which the state keeps nothing, or `tool` is one, or the run has not both.
    """
    for need in requires:
        if not bench.tools[need.tool].reads and not bench.tools[need.after].reads and need.tool != need.after:
            yield from _unordered(bench, run, way, need)


def _unordered(bench: Bench, run: Sequence[Call], way: Way, need: Requirement) -> Iterator[Failure | None]:
    first = next((number for number, tried in way.good.items() if tried.call.name == need.after), None)
    late = {number for number, tried in way.good.items() if tried.call.name == need.tool and first and number > first}
    if first is None or not late:
        return
    known = {number: tried.result for number, tried in way.good.items() if tried.call.name == need.after}
    other = played(bench, run, without=need.after, known=known)
    succeeded = late <= other.good.keys()
    if succeeded and not _elsewhere(bench, other.good[min(late)], way.good[first]):
        yield _failure(other.good[min(late)], way.good[first], need)
    else:
        yield None


def _elsewhere(bench: Bench, tool: Tried, after: Tried) -> bool:
    """Whether another record shows the order: the record of the run may have had the change already."""
    at = tool.after
    shared = [name for name, value in tool.call.arguments.items() if value in after.call.arguments.values()]
    for name in shared:
        value = tool.call.arguments[name]
        for key in _alike(at, value):
            again = _replaced(tool.call.arguments, value, key)
            if bench.call(tool.call.name, again, at).succeeded:
                continue
            changed = bench.call(after.call.name, _replaced(after.call.arguments, value, key), at)
            if changed.succeeded and bench.call(tool.call.name, again, changed.after).succeeded:
                return True
    return False


def _alike(at: Snapshot, value: Any) -> list[str]:
    """Ids of other records of the same table."""
    none: Json = {}
    found = next((table for table in tables(at).values() if isinstance(value, str) and value in table), none)
    return [key for key in found if key != value][:_OTHERS]


def _replaced(arguments: Json, value: Any, other: Any) -> Json:
    return {name: other if each == value else each for name, each in arguments.items()}


def _failure(tried: Tried, before: Tried, need: Requirement) -> Failure:
    return Failure(
        "order_unenforced",
        need.tool,
        f"the workflow requires {need.after} before {need.tool}; {tried.told} succeeded from the first state without"
        f" {before.told} before it and answered {short(tried.result)[:150]}. Let it fail; if the record had that"
        f" change already in the first state, take another one in <run>",
    )
