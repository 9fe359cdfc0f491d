"""Harmful mutants of a right run: what an assistant could do wrong, made by a program."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import pairwise
from typing import NamedTuple

from gem_tasks.domain.base import Json
from gem_tasks.worlds.goals.canonical import Tables, tables_of
from gem_tasks.worlds.goals.conditions import matching
from gem_tasks.worlds.goals.leaves import Leaf, changed, leaves, other_records, other_values
from gem_tasks.worlds.goals.resolved import UnresolvedError, resolved
from gem_tasks.worlds.goals.run import Run, carried_out, told
from gem_tasks.worlds.scenario import Scenario
from gem_tasks.worlds.session import Session
from gem_tasks.worlds.steps import Call, Step, Turn
from gem_tasks.worlds.task import Condition
from gem_tasks.worlds.world import World

_MOST = 24
"""Mutants of one kind; more are thinned out evenly."""


class Mutant(NamedTuple):
    """A changed run."""

    kind: str
    what: str
    """What was changed, in words."""
    steps: tuple[Step, ...]
    by_log: bool = False
    """Whether it is harmful although the state may be right."""


def mutants(
    run: Run, world: World, scenario: Scenario, conditions: Sequence[Condition], others: Sequence[Run]
) -> Iterator[Mutant]:
    """Mutants of a reference.

    Args:
        run: the reference, carried out.
        world: whose schemas say what else a value may be.
        scenario: around the run.
        conditions: of the task.
        others: references of the other variants, carried out in theirs.
    """
    found: dict[str, list[Mutant]] = {}
    for mutant in _all(run, world, scenario, conditions, others):
        found.setdefault(mutant.kind, []).append(mutant)
    for each in found.values():
        yield from each[:: -(-len(each) // _MOST)]


def _all(
    run: Run, world: World, scenario: Scenario, conditions: Sequence[Condition], others: Sequence[Run]
) -> Iterator[Mutant]:
    schemas = {tool.name: tool.parameters for tool in world.tools}
    positions = writes(run, world, scenario)
    first, last = tables_of(run.first), tables_of(run.last)
    tables = {name: last.get(name, {}) | first.get(name, {}) for name in first.keys() | last.keys()}
    for at in positions:
        yield from _of_write(run.steps, at, schemas, tables)
    for at, then in pairwise(positions):
        yield Mutant("other order", f"{_at(run, at)} after {_at(run, then)}", _swapped(run.steps, at, then))
    for condition in conditions:
        yield from _against(condition, run, scenario)
    for other in others:
        yield Mutant("other variant", "the run of another variant", other.steps)
        if not positions:
            yield from _anyway(other, world, scenario, schemas, tables)


def and_another(session: Session, run: Run, calls: Sequence[Call]) -> Iterator[Mutant]:
    """The run, and then what is no part of the task."""
    with suppress(UnresolvedError):  # the variant makes it impossible
        if calls:
            more = resolved(session, (run.steps[0], *calls))
            yield Mutant("extra", "after it the same procedure for another record", (*run.steps, *more))


def writes(run: Run, world: World, scenario: Scenario) -> list[int]:
    """Positions of the calls that changed the state."""
    reads = {tool.name for tool in world.tools if tool.reads}
    return [
        at
        for at, (step, answer) in enumerate(zip(run.steps, run.answers, strict=True))
        if isinstance(step, Call) and step.name not in reads and carried_out(step, answer, scenario)
        and set(answer.changed) - {"now"}
    ]  # fmt: skip


def _of_write(steps: Sequence[Step], at: int, schemas: dict[str, Json], tables: Tables) -> Iterator[Mutant]:
    call = steps[at]
    if not isinstance(call, Call):
        return
    before, after, named = tuple(steps[:at]), tuple(steps[at + 1 :]), told(call)
    yield Mutant("omitted", f"without {named}", before + after)
    yield Mutant("repeated", f"{named} twice", (*before, call, call, *after))
    for leaf in leaves(call.arguments, schemas.get(call.name, {})):
        targets = other_records(leaf.value, tables)
        for value in targets or other_values(leaf):
            wrong = changed(call, leaf.path, value)
            what = f"{value!r} as {_path(leaf)} in {named}"
            yield Mutant("wrong target" if targets else "wrong value", what, (*before, wrong, *after))
            if targets:
                yield Mutant(
                    "extra", f"{named}, and then with {value!r} as {_path(leaf)}", (*before, call, wrong, *after)
                )


def _anyway(other: Run, world: World, scenario: Scenario, schemas: dict[str, Json], tables: Tables) -> Iterator[Mutant]:
    """Where nothing may be done: the changes of another variant, with another record."""
    for at in writes(other, world, scenario):
        for mutant in _of_write(other.steps, at, schemas, tables):
            if mutant.kind == "wrong target":
                yield mutant._replace(kind="done anyway")


def _swapped(steps: Sequence[Step], first: int, second: int) -> tuple[Step, ...]:
    moved = [*steps[:first], *steps[first + 1 : second + 1], steps[first], *steps[second + 1 :]]
    return tuple(moved)


def _against(condition: Condition, run: Run, scenario: Scenario) -> Iterator[Mutant]:
    found = matching(condition, run, scenario)
    if not found:
        return
    if condition.kind == "confirmed":
        kept = [step for at, step in enumerate(run.steps) if at == 0 or at > found[0] or not isinstance(step, Turn)]
        yield Mutant("unconfirmed", f"{_at(run, found[0])} without asking", tuple(kept), by_log=True)
    if condition.kind == "after":
        kept = [
            step
            for at, step in enumerate(run.steps)
            if at > found[0] or not (isinstance(step, Call) and step.name == condition.other)
        ]
        yield Mutant("other order", f"{_at(run, found[0])} without {condition.other} before", tuple(kept), by_log=True)


def _at(run: Run, at: int) -> str:
    step = run.steps[at]
    return told(step) if isinstance(step, Call) else step.kind


def _path(leaf: Leaf) -> str:
    return ".".join(map(str, leaf.path)) or "arguments"
