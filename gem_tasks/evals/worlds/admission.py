"""Which cases count, before a model is asked: a case that its own reference misses measures nothing.

A case that a conversation without any call solves would reward doing nothing. It has the kind `idle`, is scored apart,
and is reached only if the assistant also looked: a call of a tool that the reference calls has succeeded. If the
reference calls none, it is refused.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from gem_tasks.evals.progress import Progress, silent
from gem_tasks.evals.worlds.cases import IDLE, Case
from gem_tasks.worlds.goals.judged import Goal
from gem_tasks.worlds.goals.resolved import resolved
from gem_tasks.worlds.goals.run import Run, ran, refused
from gem_tasks.worlds.pool import Pool
from gem_tasks.worlds.process import RefusedWorldError
from gem_tasks.worlds.session import Session
from gem_tasks.worlds.steps import Call, Step, Turn


class Admitted(NamedTuple):
    """What a run plays."""

    kinds: dict[str, str]
    """The kind of every case that counts, by its id."""
    refused: dict[str, str]
    """Why other cases do not count."""


class Aim(NamedTuple):
    """The goal of a case with one seed."""

    goal: Goal
    steps: tuple[Step, ...]
    """The reference, with ids of this seed."""
    reference: Run


def admitted(cases: Sequence[Case], seed: int, pool: Pool, progress: Progress = silent) -> Admitted:
    """Carries out every reference, and a conversation without calls."""
    kinds: dict[str, str] = {}
    refusals: dict[str, str] = {}
    for number, case in enumerate(cases):
        progress("worlds: check references", number, len(cases))
        found = kind_of(case, seed, pool)
        (refusals if found.startswith(_REFUSED) else kinds)[case.case_id] = found.removeprefix(_REFUSED)
    progress("worlds: check references", len(cases), len(cases))
    return Admitted(kinds, refusals)


_REFUSED = "! "


def kind_of(case: Case, seed: int, pool: Pool) -> str:
    """The kind of a case; after `! `, why it does not count."""
    try:
        with pool.opened(case.shelf.world, case.variant.scenario, seed=seed) as session:
            aim = aim_at(case, session)
            if missed := aim.goal.verdict(aim.reference).reasons:
                return f"{_REFUSED}its reference misses the goal: {missed[0]}"
            idle = any(aim.goal.verdict(ran(session, steps)).reached for steps in _idle(aim.steps))
    except (RefusedWorldError, ValueError, KeyError) as error:
        return f"{_REFUSED}it cannot be carried out: {' '.join(map(str, error.args))}"
    if not idle:
        return case.kind
    looks = looked_at(aim.reference, aim.reference)
    return IDLE if looks else f"{_REFUSED}there is nothing to do or to look up"


def aim_at(case: Case, session: Session) -> Aim:
    """The goal of a case, in a session of its variant.

    Raises:
        ValueError: the reference cannot be carried out.
    """
    steps = resolved(session, case.variant.reference)
    reference = ran(session, steps)
    return Aim(Goal(case.shelf.world, case.task, case.variant, reference), steps, reference)


def looked_at(run: Run, reference: Run) -> bool:
    """Whether a call of a tool that the reference calls has succeeded."""
    return bool(set(_succeeded(run)) & set(_succeeded(reference)))


def _succeeded(run: Run) -> Iterable[str]:
    pairs = zip(run.steps, run.answers, strict=True)
    return (step.name for step, answer in pairs if isinstance(step, Call) and not refused(answer))


def _idle(steps: Sequence[Step]) -> Iterable[Sequence[Step]]:
    """Conversations without calls: one message of the user, all of the reference, and all with the user's deeds."""
    turns = [step for step in steps if isinstance(step, Turn)]
    return turns[:1], turns, [step for step in steps if not isinstance(step, Call)]
