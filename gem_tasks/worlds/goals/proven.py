"""Tasks that hold: every reference is right, wrong runs miss the goal, and other right runs reach it."""

from collections.abc import Iterator
from itertools import chain
from typing import NamedTuple

from gem_tasks.confine.job import SandboxMode
from gem_tasks.worlds.built import Built
from gem_tasks.worlds.goals.alternatives import alternatives
from gem_tasks.worlds.goals.judged import Goal
from gem_tasks.worlds.goals.mutants import and_another, mutants
from gem_tasks.worlds.goals.origins import from_nothing
from gem_tasks.worlds.goals.references import Carried, faults_of
from gem_tasks.worlds.goals.resolved import UnresolvedError, resolved
from gem_tasks.worlds.goals.run import Run, ran, refused
from gem_tasks.worlds.process import RefusedWorldError
from gem_tasks.worlds.session import Session, opened
from gem_tasks.worlds.steps import Call
from gem_tasks.worlds.task import Task, Tasks, Variant
from gem_tasks.worlds.world import World

SHARE = 0.95
"""Of the harmful mutants that have to miss the goal."""
_SEEDS = 0, 1
"""The references are carried out with both: numbers of new records differ."""
_TOLD = 4
"""Faults of a task that are named."""
_ADVICE = (
    "name a table in which wrong runs differ among the tables of <outcome>; one that shows only the way (opened"
    ' documents, sessions, logs) under "traces" there'
)


class Proof(NamedTuple):
    """What the trials of a task found."""

    harmful: int = 0
    missed: int = 0
    """Harmful mutants that miss the goal, as they have to."""
    equivalent: int = 0
    """Mutants that leave the same state as the reference."""
    alternatives: int = 0
    faults: tuple[str, ...] = ()
    """Why the task does not hold."""
    notes: tuple[str, ...] = ()
    """What is no fault, but odd."""

    @property
    def trials(self) -> dict[str, int]:
        """Numbers for the task."""
        return {"mutants": self.harmful, "equivalent": self.equivalent, "alternatives": self.alternatives}


def proven(tasks: Tasks, built: Built, *, mode: SandboxMode = "auto") -> Tasks | str:
    """The tasks that hold, with the reasons against the others; or a complaint if none does.

    Raises:
        RefusedWorldError: the world's code does not load.
    """
    kept: list[Task] = []
    left_out: list[str] = list(tasks.refused)
    with opened(built.world, mode=mode) as session:
        for number, task in enumerate(tasks.tasks, 1):
            proof = proof_of(session, built.world, task, built.run)
            if proof.faults:
                left_out.append(f"task {number}, {task.title}: {'; '.join(proof.faults[: 2 * _TOLD])}")
            else:
                kept.append(task.model_copy(update={"trials": proof.trials, "notes": proof.notes}))
    if not kept:
        return "No task holds when its runs are carried out:\n" + "\n".join(f"- {each}" for each in left_out)
    return Tasks(tasks=tuple(kept), refused=tuple(left_out))


def proof_of(session: Session, world: World, task: Task, another: tuple[Call, ...] = ()) -> Proof:
    """Tries a task in a session of its world. Mutants are made only if every reference is right.

    Args:
        session: of the world, in any scenario.
        world: the world.
        task: the task.
        another: calls that succeed in the world but are no part of the task.
    """
    carried: list[Carried] = []
    faults: list[str] = []
    for variant in task.variants:
        try:
            found = _carried(session, world, task, variant)
        except (RefusedWorldError, UnresolvedError, ValueError) as error:
            faults.append(f"variant {variant.name}: {': '.join(map(str, error.args))}")
            continue
        carried.append(found)
        faults += (f"variant {variant.name}: {fault}" for fault in faults_of(found, world, task))
    if not faults and not any(variant.ending == "done" for variant in task.variants):
        faults.append("in no variant the wish is carried out")
    return Proof(faults=tuple(faults)) if faults else _tried(session, world, task, carried, another)


def _carried(session: Session, world: World, task: Task, variant: Variant) -> Carried:
    runs: list[Run] = []
    for seed in reversed(_SEEDS):
        session.begin(variant.scenario, seed=seed)
        runs.append(ran(session, resolved(session, variant.reference)))
    return Carried(variant, runs[-1], runs[0], Goal(world, task, variant, runs[-1]))


def _tried(session: Session, world: World, task: Task, carried: list[Carried], another: tuple[Call, ...]) -> Proof:
    harmful = missed = equivalent = passed = 0
    survivors: list[str] = []
    wrong: list[str] = []
    for each in carried:
        name, scenario = each.variant.name, each.variant.scenario
        session.begin(scenario, seed=_SEEDS[0])
        others = [other.run for other in carried if other is not each]
        made = mutants(each.run, world, scenario, task.conditions, others)
        for mutant in chain(made, and_another(session, each.run, another)):
            run = ran(session, mutant.steps)
            tables = each.goal.differs_in(run)
            if not mutant.by_log and not tables:
                equivalent += 1
                continue
            harmful += 1
            reached = each.goal.verdict(run).reached
            missed += not reached
            if reached:
                where = f"; it differs in {', '.join(tables)}" if tables else ""
                survivors.append(f"variant {name}: {mutant.what} reaches the goal too ({mutant.kind}{where})")
        found = list(_refused_alternatives(session, world, task, each))
        passed += sum(not fault for fault in found)
        wrong += (f"variant {name}: {fault}" for fault in found if fault)
    faults = [*wrong, *survivors[:_TOLD], _ADVICE] if missed < SHARE * harmful else wrong
    if not harmful:
        faults = [
            *faults,
            "no changed run differs from the references, so nothing shows that the goal tells right from wrong",
        ]
    notes = dict.fromkeys(note for each in carried for note in from_nothing(task, each.run, world))
    return Proof(harmful, missed, equivalent, passed, tuple(faults), tuple(notes))


def _refused_alternatives(session: Session, world: World, task: Task, each: Carried) -> Iterator[str]:
    """Why each alternative that exists does not reach the goal; empty if it does."""
    known = " ".join([task.persona, task.system, *(wish.text for wish in task.wishes), *task.knows]).lower()
    for other in alternatives(each.run, world, each.variant.scenario, task.conditions, known):
        run = ran(session, other.steps)
        if other.refused_at is not None and not refused(run.answers[other.refused_at]):
            continue
        verdict = each.goal.verdict(run)
        yield "" if verdict.reached else f"with {other.what} the run misses the goal: {'; '.join(verdict.reasons[:2])}"
