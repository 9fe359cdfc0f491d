"""One try: two players talk in a world, and the goal decides."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import ExitStack, asynccontextmanager
from typing import NamedTuple

from gem_tasks.confine.results import printable
from gem_tasks.domain.chat import Usage
from gem_tasks.domain.outcome import Outcome
from gem_tasks.errors import EndpointError, ErrorClass
from gem_tasks.evals.worlds.admission import Aim, aim_at, looked_at
from gem_tasks.evals.worlds.attempts import Attempt
from gem_tasks.evals.worlds.cases import IDLE, Case
from gem_tasks.evals.worlds.causes import OUTSIDE, Cause, of_states
from gem_tasks.ports import ChatClient
from gem_tasks.redaction import beginning
from gem_tasks.simulate.scene import Caps, Players, Scene
from gem_tasks.simulate.simulation import Simulation
from gem_tasks.worlds.built import world_id
from gem_tasks.worlds.goals.judged import Verdict
from gem_tasks.worlds.goals.run import Run
from gem_tasks.worlds.played import Played
from gem_tasks.worlds.pool import Pool
from gem_tasks.worlds.process import RefusedWorldError
from gem_tasks.worlds.session import Session
from gem_tasks.worlds.steps import Answer, Step

_SHOWN = 300
_OF_REASON: dict[str, Cause] = {
    "user_gave_up": "user",
    "user_unreadable": "user",
    "user_repeats": "user",
    "assistant_unreadable": "malformed",
    "cap_calls": "cap",
    "cap_turns": "cap",
    "cap_repeats": "cap",
    "world_fault": "world",
    "task_fault": "world",
}
"""Causes that the end of the conversation tells; for others the states do."""


class Clients(NamedTuple):
    """Who answers for each player."""

    assistant: ChatClient
    user: ChatClient


Casting = Callable[[Case, Sequence[Step]], Clients]
"""The clients of a try, by its case and the reference with the ids of the try's seed."""


class Stage(NamedTuple):
    """What all tries of a run share."""

    pool: Pool
    players: Players
    caps: Caps
    clients: Casting


async def play(stage: Stage, case: Case, kind: str, epoch: int, seed: int) -> Attempt:
    """Plays a try; nothing that players or worlds do makes it raise.

    Raises:
        EndpointError: the configuration is at fault, so that all other tries would fail as well.
    """
    started = time.monotonic()
    blank = Attempt(case_id=case.case_id, category=kind, epoch=epoch, seed=seed)
    async with _opened(stage.pool, case, seed) as opened:
        if isinstance(opened, str):
            return blank.model_copy(update=_outside("world", opened))
        session, aim = opened
        table = _Table(session)
        simulation = Simulation(
            _scene(case, epoch, seed), stage.players, table, lambda _: _judged(kind, aim, table.run), stage.caps
        )
        said = await _talk(simulation, stage.clients(case, aim.steps))
        assert simulation.outcome  # noqa: S101 - a conversation without a request has ended
        ended = _ended(case, aim, table.run, simulation, said)
        run = table.run
    return blank.model_copy(
        update={
            "calls": sum(step.kind == "call" for step in run.steps),
            "turns": sum(step.kind == "turn" for step in run.steps),
            "usage": said.usage,
            "seconds": time.monotonic() - started,
            "steps": run.steps,
            **ended,
        }
    )


@asynccontextmanager
async def _opened(pool: Pool, case: Case, seed: int) -> AsyncGenerator[tuple[Session, Aim] | str]:
    """A session of the case and its goal, or why there is none. Children start and end outside the event loop."""
    stack = ExitStack()
    try:
        opening = pool.opened(case.shelf.world, case.variant.scenario, seed=seed)
        session = await asyncio.to_thread(stack.enter_context, opening)
        found = session, await asyncio.to_thread(aim_at, case, session)
    except (RefusedWorldError, ValueError) as error:
        found = " ".join(map(str, error.args))
    try:
        yield found
    finally:
        await asyncio.to_thread(stack.close)


class _Table:
    """A session that notes what happens in it."""

    def __init__(self, session: Session) -> None:
        session.restart()
        self._session, self._first = session, session.state
        self._steps: list[Step] = []
        self._answers: list[Answer] = []

    def take(self, steps: Sequence[Step]) -> list[Answer]:
        answers = self._session.take(steps)
        self._steps += steps
        self._answers += answers
        return answers

    @property
    def run(self) -> Run:
        return Run(tuple(self._steps), tuple(self._answers), self._first, self._session.state)


class _Said:
    """What the models used, and what the assistant said last."""

    def __init__(self) -> None:
        self.usage = {"assistant": Usage(), "user": Usage()}
        self.words: list[str] = []

    @property
    def stuck(self) -> bool:
        """Whether the assistant said the same twice."""
        return len(self.words) > 1 and self.words[-1] == self.words[-2]


async def _talk(simulation: Simulation, clients: Clients) -> _Said:
    said = _Said()
    while simulation.request:
        role = simulation.role
        try:
            completion = await getattr(clients, role).complete(simulation.request)
        except EndpointError as error:
            simulation.failed(error)
            continue
        said.usage[role] += completion.usage
        if role == "assistant":
            said.words.append(completion.text)
        await asyncio.to_thread(simulation.answered, completion)
    return said


def _scene(case: Case, epoch: int, seed: int) -> Scene:
    return Scene(
        world=world_id(case.shelf.world),
        task=case.task,
        index=case.number,
        variant=case.variant.name,
        seed=seed,
        attempt=epoch,
        tools=case.tools,
    )


def _judged(kind: str, aim: Aim, run: Run) -> Verdict:
    found = aim.goal.verdict(run)
    if kind == IDLE and found.reached and not looked_at(run, aim.reference):
        return Verdict(reached=False, reasons=("the assistant did not look",))
    return found


def _ended(case: Case, aim: Aim, run: Run, simulation: Simulation, said: _Said) -> dict[str, object]:
    """Fields of the attempt that the outcome tells."""
    outcome = simulation.outcome
    assert outcome  # noqa: S101 - see `play`
    messages = Played.model_validate_json(outcome.payload).messages if outcome.payload else ()
    found: dict[str, object] = {"ending": outcome.reason or outcome.kind, "messages": messages}
    found |= {"leaks": tuple(outcome.measures.get("leaks", ())), "copied": outcome.measures.get("copied", 0.0)}
    if outcome.kind == "accepted":
        return {**found, "reached": True}
    cause = _cause(case, aim, run, outcome, simulation.role, said)
    detail = outcome.detail or ""
    if cause is None:
        return {**found, "error": _shown(f"{simulation.role}: {outcome.error_class}: {detail}")}
    if cause in OUTSIDE:
        return {**found, **_outside(cause, detail)}
    return {**found, "cause": cause, "reasons": tuple(detail.split("; "))}


def _cause(case: Case, aim: Aim, run: Run, outcome: Outcome, role: str, said: _Said) -> Cause | None:
    """None: an endpoint failed."""
    if outcome.kind == "failed":
        refused = outcome.error_class is ErrorClass.REFUSED
        return ("gave_up" if role == "assistant" else "user") if refused else None
    if outcome.reason == "user_repeats" and said.stuck:
        return "cap"
    if outcome.reason in _OF_REASON:
        return _OF_REASON[outcome.reason]
    missed = set(aim.goal.verdict(run).reasons)
    if not missed:
        return "did_not_look"
    if missed <= set(run.findings):  # all is well, but the world accepted what its schemas forbid
        return "world"
    return of_states(case.shelf.world, case.task, case.variant, run, aim.reference)


def _outside(cause: Cause, detail: str) -> dict[str, object]:
    return {"cause": cause, "error": _shown(f"the {cause} is at fault: {detail}")}


def _shown(text: str) -> str:
    return printable(beginning(text, _SHOWN))
