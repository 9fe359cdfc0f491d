"""A session of a world: steps in, answers out, with snapshots; and the replay of a whole conversation."""

import json
import math
import time
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import islice
from typing import NamedTuple

from gem_tasks.confine.job import SandboxMode
from gem_tasks.domain.base import Json
from gem_tasks.worlds.course import Course, Operation, Planned
from gem_tasks.worlds.process import Done, Process, RefusedWorldError, Replay
from gem_tasks.worlds.scenario import Scenario
from gem_tasks.worlds.steps import Answer, Finding, Step
from gem_tasks.worlds.texts import encoded
from gem_tasks.worlds.world import World

_AT_ONCE = 16
"""Conversations in one request. They share the time limit of one call; if it is too short, each call gets its own."""
_SLICE = 50
"""Steps of one that is replayed by itself, between looks at the clock."""
_INTERNAL: Json = {"error": {"code": "INTERNAL", "message": "Internal error."}}


class Recorded(NamedTuple):
    """A conversation to replay."""

    steps: Sequence[Step]
    results: Sequence[Json | None]
    """What each step led to; None if it is no call."""
    scenario: Scenario | None = None
    seed: int = 0


class Session:
    """A conversation in a world. Deterministic: the same (world, scenario, seed, steps) gives the same answers.

    Attributes:
        state: the state after the last step.
    """

    def __init__(self, world: World, process: Process) -> None:
        self._process, self._course = process, Course(world, Scenario())
        self.state = process.first

    def begin(self, scenario: Scenario | None = None, *, seed: int = 0) -> None:
        """Begins another scenario, or the same with another seed, in the running child: milliseconds, not its start.

        Raises:
            RefusedWorldError: the code does not load.
        """
        scenario = scenario or Scenario()
        self._process.load(scenario, seed)
        self._course.begin(scenario)
        self.state = self._process.first

    def restart(self) -> None:
        """Begins again with the world's first state."""
        self._course.restart()
        self.state = self._process.first

    def take(self, steps: Sequence[Step]) -> list[Answer]:
        """Takes steps in order; all in one request to the engine."""
        plans = [self._course.plan(step) for step in steps]
        done, self.state = self._process.run(self.state, _operations(plans))
        return [_answer(plan, own) for plan, own in _shared(plans, done)]

    def replay(
        self, conversations: Iterable[Recorded], *, patience_s: float = math.inf
    ) -> Iterator[dict[int, Answer] | str]:
        """Replays whole conversations; faster than `take`, because several are one request and only differences return.

        Args:
            conversations: the conversations.
            patience_s: time for one of them, if its world uses the limits up in call after call.

        Yields:
            For each conversation, answers of the steps whose results differ, by index; or why it cannot be replayed.
            The session is then at a first state, of one of their scenarios.
        """
        left = iter(conversations)
        while chunk := list(islice(left, _AT_ONCE)):
            asked = [self._asked(each) for each in chunk]
            done = self._process.replayed([each.replay for each in asked if not isinstance(each, str)])
            found = None if done is None else iter(done)
            for conversation, each in zip(chunk, asked, strict=True):
                if isinstance(each, str):
                    yield each
                else:
                    yield self._alone(conversation, patience_s) if found is None else each.differing(next(found))
            self.restart()

    def _asked(self, conversation: Recorded) -> "_Asked | str":
        try:
            self.begin(conversation.scenario, seed=conversation.seed)
            plans = [self._course.plan(step) for step in conversation.steps]
        except RefusedWorldError as error:
            return ": ".join(map(str, error.args))
        except ValueError as error:
            return str(error)
        wanted, every = list[str](), False
        for plan, result in zip(plans, conversation.results, strict=True):
            wanted += _wanted(plan, result)
            every = every or (plan.main is None and not _equal(plan.told, result))
        return _Asked(conversation.results, plans, self._process.replay(_operations(plans), wanted, every=every))

    def _alone(self, conversation: Recorded, patience_s: float) -> dict[int, Answer] | str:
        self.begin(conversation.scenario, seed=conversation.seed)
        steps, answers, end = iter(conversation.steps), list[Answer](), time.monotonic() + patience_s
        while some := list(islice(steps, _SLICE)):
            if time.monotonic() > end:
                return f"the replay took more than {patience_s:.0f} s"
            answers += self.take(some)
        both = enumerate(zip(answers, conversation.results, strict=True))
        return {at: answer for at, (answer, result) in both if not _equal(answer.result, result)}


class _Asked(NamedTuple):
    """A replay that the engine has been asked for."""

    results: Sequence[Json | None]
    plans: Sequence[Planned]
    replay: Replay

    def differing(self, done: Sequence[Done] | None) -> dict[int, Answer]:
        if done is None:
            return {}
        both = enumerate(zip(_shared(self.plans, done), self.results, strict=True))
        return {at: _answer(plan, own) for at, ((plan, own), result) in both if not _leads_to(plan, own, result)}


def _operations(plans: Sequence[Planned]) -> list[Operation]:
    return [each for plan in plans for each in plan.operations]


def _shared(plans: Sequence[Planned], done: Sequence[Done]) -> Iterator[tuple[Planned, Sequence[Done]]]:
    """Each plan with what its operations led to."""
    begin = 0
    for plan in plans:
        end = begin + len(plan.operations)
        yield plan, done[begin:end]
        begin = end


def _answer(plan: Planned, done: Sequence[Done]) -> Answer:
    findings = [_finding(each, op) for each, op in zip(done, plan.operations, strict=True) if each.reason]
    result = plan.told if plan.main is None else _result(plan, done[plan.main])
    if plan.violation and plan.main is not None and result == plan.violation.answer:
        name = plan.operations[plan.main].name
        findings.append(Finding(reason="unenforced", detail=plan.violation.message, where=name))
    changed = tuple(sorted({table for each in done for table in each.changed}))
    return Answer(result=result, changed=changed, findings=tuple(findings))


def _result(plan: Planned, done: Done) -> Json:
    """The world's own error comes first, then the schema's, then the scenario's."""
    own = done.result
    if done.reason or own is None:
        return _INTERNAL
    if own.get("error") is not None:
        return own
    if plan.violation:
        return plan.violation.answer
    return plan.told or own


def _wanted(plan: Planned, result: Json | None) -> list[str]:
    """For the call itself the engine's text of the wanted result, if nothing else can replace what it leads to."""
    texts = [""] * len(plan.operations)
    if plan.main is not None and not plan.told and not plan.violation:
        with suppress(ValueError, RecursionError):  # no result is like this
            texts[plan.main] = encoded(result)
    return texts


def _leads_to(plan: Planned, done: Sequence[Done], result: Json | None) -> bool:
    if plan.main is None and plan.told is None:
        return result is None
    if plan.main is not None and done[plan.main].result is None and not done[plan.main].reason:
        return True
    return _equal(_answer(plan, done).result, result)


def _equal(one: Json | None, other: Json | None) -> bool:
    """1 and true differ."""
    return one is other or json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def _finding(done: Done, operation: Operation) -> Finding:
    fault_of = "scenario" if operation.kind == "event" else "world"
    return Finding.model_validate(
        {"reason": done.reason, "detail": done.detail, "where": operation.name, "fault_of": fault_of}
    )


@contextmanager
def opened(
    world: World, scenario: Scenario | None = None, *, seed: int = 0, mode: SandboxMode = "auto"
) -> Generator[Session]:
    """A session in a separate confined process, which takes 0.25 s to start: `Session.begin` and `Pool` use it again.

    Raises:
        RefusedWorldError: the code does not load.
        ValueError: a tool's schema is invalid.
    """
    process = Process(world, mode)
    try:
        session = Session(world, process)
        session.begin(scenario, seed=seed)
        yield session
    finally:
        process.close()
