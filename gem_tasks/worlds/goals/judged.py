"""Whether a conversation's steps reach the goal of its task: the state that the reference leaves, by any path."""

from collections.abc import Iterator, Sequence
from typing import Any, cast

from gem_tasks.confine.job import SandboxMode
from gem_tasks.domain.base import Json, Value
from gem_tasks.worlds.built import Built
from gem_tasks.worlds.goals import conditions, differences
from gem_tasks.worlds.goals.canonical import Canonical, Tables, is_time, tables_of
from gem_tasks.worlds.goals.resolved import resolved
from gem_tasks.worlds.goals.run import Run, happened, ran
from gem_tasks.worlds.session import Session, opened
from gem_tasks.worlds.steps import Step
from gem_tasks.worlds.task import Task, Variant
from gem_tasks.worlds.world import World

_MOST = 20
"""Reasons of a verdict."""


class Verdict(Value):
    """Whether the goal was reached, and what is missing."""

    reached: bool
    reasons: tuple[str, ...] = ()
    """With table, record and field, or the condition that was broken; empty if it was reached."""
    open: bool = False
    """Whether only consent is missing, as far as the log tells. Words may have it: "if they differ, renew it once"."""


class Goal:
    """The goal of a variant, in one world and with one seed.

    Args:
        world: where the task happens.
        task: whose outcome tables and conditions count.
        variant: whose scenario surrounds the run.
        reference: the variant's reference, carried out with the same seed.
    """

    def __init__(self, world: World, task: Task, variant: Variant, reference: Run) -> None:
        self._world, self._task, self._variant, self._reference = world, task, variant, reference
        self._outcome = self._canonical(reference).tables(task.tables)
        everything = Canonical(reference)
        self._rest = everything.tables(self._others(reference))
        first = Canonical(reference, first=True)
        self._first = first.tables(self._others(reference))
        self._times = {field for field in task.volatile if _only_times(field, tables_of(reference.last))}
        self._all = _everything(reference, self._times)

    def verdict(self, run: Run) -> Verdict:
        """Whether a run reaches it."""
        missed = [*self._missed(run), *self._broken(run, consent=False)]
        reasons = tuple(dict.fromkeys([*missed, *self._broken(run, consent=True)]))[:_MOST]
        return Verdict(reached=not reasons, reasons=reasons, open=bool(reasons) and not missed)

    def differs_in(self, run: Run) -> list[str]:
        """Tables in which a run's state differs from the reference's.

        Traces, and the fields for times among the volatile ones, do not count.
        """
        left = _everything(run, self._times)
        names = (left.keys() | self._all.keys()) - {*self._task.traces}
        return sorted(name for name in names if left.get(name, {}) != self._all.get(name, {}))

    def _missed(self, run: Run) -> Iterator[str]:
        yield from run.findings
        missed = [*differences.outcome(self._canonical(run).tables(self._task.tables), self._outcome)]
        rest = Canonical(run).tables(self._others(run))
        missed += differences.guard(rest, self._rest, self._first)
        if missed:
            yield from self._unlike(run)
        yield from missed

    def _broken(self, run: Run, *, consent: bool) -> Iterator[str]:
        of = [each for each in self._task.conditions if (each.kind == "confirmed") == consent]
        return conditions.broken(of, run, self._variant.scenario)

    def _unlike(self, run: Run) -> Iterator[str]:
        """Why the states may differ: what happened in the reference only."""
        scenario = self._variant.scenario
        wanted, got = (happened(self._world, scenario, each.steps) for each in (self._reference, run))
        for name in sorted(wanted - got):
            yield f"the user did not do {name}" if name in self._task.deeds else f"the event {name} did not happen"

    def _canonical(self, run: Run) -> Canonical:
        return Canonical(run, volatile=self._task.volatile)

    def _others(self, run: Run) -> set[str]:
        return (run.first.tables.keys() | run.last.tables.keys()) - {"now", *self._task.tables, *self._task.traces}


def _everything(run: Run, times: set[str]) -> Tables:
    return Canonical(run, volatile=times).tables(run.last.tables.keys() - {"now"})


def _only_times(field: str, data: Any) -> bool:
    """Whether a field never has a value other than a time or none."""
    if isinstance(data, list):
        return all(_only_times(field, each) for each in cast("list[Any]", data))
    if not isinstance(data, dict):
        return True
    fields = cast("Json", data)
    value = fields.get(field)
    own = value is None or (isinstance(value, str) and is_time(value)) or isinstance(value, dict)
    return own and all(_only_times(field, each) for each in fields.values())


def goal_in(session: Session, world: World, task: Task, variant: Variant) -> Goal:
    """The goal, from carrying out the reference in a session of that variant's scenario.

    Raises:
        UnresolvedError: the reference names a place that the results do not have.
        ValueError: the reference has a deed that the scenario does not have.
    """
    return Goal(world, task, variant, ran(session, resolved(session, variant.reference)))


def judged(
    built: Built, task: Task, variant: str, seed: int, steps: Sequence[Step], *, mode: SandboxMode = "auto"
) -> Verdict:
    """Replays steps in the variant's scenario, and compares with the reference of the same variant and seed.

    Raises:
        KeyError: the task has no such variant.
        RefusedWorldError: the code does not load.
        ValueError: a deed that the scenario does not have, or a reference that cannot be carried out.
    """
    chosen = task.variant(variant)
    with opened(built.world, chosen.scenario, seed=seed, mode=mode) as session:
        goal = goal_in(session, built.world, task, chosen)
        return goal.verdict(ran(session, steps))
