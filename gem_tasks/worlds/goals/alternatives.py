"""Other right runs: what may differ from the reference without harm, made by a program."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from gem_tasks.worlds.goals.canonical import Tables, tables_of
from gem_tasks.worlds.goals.leaves import changed, composed, leaves, other_records
from gem_tasks.worlds.goals.mutants import writes
from gem_tasks.worlds.goals.run import Run, refused
from gem_tasks.worlds.scenario import Scenario
from gem_tasks.worlds.steps import Call, Step, Turn
from gem_tasks.worlds.task import Condition
from gem_tasks.worlds.world import World

_FEW = 6
"""Lookups that are added."""
_UNKNOWN = "-0"


class Alternative(NamedTuple):
    """A run that is to reach the goal."""

    what: str
    steps: tuple[Step, ...]
    refused_at: int | None = None
    """A call that the world has to refuse; otherwise the run is none of these."""


def alternatives(
    run: Run, world: World, scenario: Scenario, conditions: Sequence[Condition], known: str
) -> Iterator[Alternative]:
    """Alternatives to a reference.

    Args:
        run: the reference, carried out.
        world: where it happened.
        scenario: around the run.
        conditions: of the task; a call that they count is not added.
        known: everything that the user may say: words that are not in it are the assistant's.
    """
    counted = {each.tool for each in conditions if each.kind in ("at_most", "never")}
    looks = _lookups(run, world, counted)
    yield from _more(run, looks, scenario)
    yield Alternative("lookups in another order", _reordered(run.steps, {call.name for call in looks}))
    yield from _failed_first(run, world, scenario, counted)
    yield from _reworded(run, world, scenario, known)


def _lookups(run: Run, world: World, counted: set[str]) -> list[Call]:
    reads = {tool.name for tool in world.tools if tool.reads} - counted
    pairs = zip(run.steps, run.answers, strict=True)
    found = [step for step, answer in pairs if isinstance(step, Call) and step.name in reads and not refused(answer)]
    return list({call.model_dump_json(): call for call in found}.values())


def _more(run: Run, looks: list[Call], scenario: Scenario) -> Iterator[Alternative]:
    """More lookups and messages; where something happens, right before it, so that it happens later."""
    triggers = {event.trigger.tool for event in scenario.events.values() if event.trigger} - {None}
    quiet = [call for call in looks if call.name not in triggers | {fault.tool for fault in scenario.faults}][:_FEW]
    if quiet:
        yield Alternative("more lookups at the beginning", (run.steps[0], *quiet, *run.steps[1:]))
    yield Alternative("twice as many messages", tuple(each for step in run.steps for each in _doubled(step)))
    for name in sorted(filter(None, triggers)):
        at = next((at for at, step in enumerate(run.steps) if isinstance(step, Call) and step.name == name), None)
        if at is not None:
            more = (*run.steps[:at], *quiet, Turn(), *quiet, *run.steps[at:])
            yield Alternative(f"more lookups and a message before the first {name}", more)


def _doubled(step: Step) -> tuple[Step, ...]:
    return (step, step) if isinstance(step, Turn) else (step,)


def _reordered(steps: Sequence[Step], reads: set[str]) -> tuple[Step, ...]:
    """Every series of lookups backwards."""
    found: list[Step] = []
    series: list[Step] = []
    for step in (*steps, None):
        if isinstance(step, Call) and step.name in reads:
            series.insert(0, step)
            continue
        found += series
        series = []
        found += [step] if step else []
    return tuple(found)


def _failed_first(run: Run, world: World, scenario: Scenario, counted: set[str]) -> Iterator[Alternative]:
    """A change with an id that does not exist comes before the right one."""
    busy = {event.trigger.tool for event in scenario.events.values() if event.trigger} | counted
    busy |= {fault.tool for fault in scenario.faults}
    tables: Tables = tables_of(run.last)
    for at in writes(run, world, scenario):
        call = run.steps[at]
        if isinstance(call, Call) and call.name not in busy:
            for leaf in leaves(call.arguments, {}):
                if other_records(leaf.value, tables):
                    wrong = changed(call, leaf.path, f"{leaf.value}{_UNKNOWN}")
                    yield Alternative(f"a failed {call.name} first", (*run.steps[:at], wrong, *run.steps[at:]), at)
                    return


def _reworded(run: Run, world: World, scenario: Scenario, known: str) -> Iterator[Alternative]:
    """Other words where the assistant composes them."""
    schemas = {tool.name: tool.parameters for tool in world.tools}
    for at in writes(run, world, scenario):
        call = run.steps[at]
        for leaf in leaves(call.arguments, schemas.get(call.name, {})) if isinstance(call, Call) else ():
            if isinstance(call, Call) and composed(leaf) and leaf.value.lower() not in known:
                other = changed(call, leaf.path, f"{leaf.value} (as agreed)")
                where = ".".join(map(str, leaf.path))
                yield Alternative(
                    f"other words as {where} of {call.name}", (*run.steps[:at], other, *run.steps[at + 1 :])
                )
