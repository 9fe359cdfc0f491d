"""A session of a world: steps in, answers out, with snapshots; and the replay of a whole conversation."""

import json
from collections.abc import Generator, Sequence
from contextlib import contextmanager

from gem_tasks.confine.job import SandboxMode
from gem_tasks.domain.base import Json
from gem_tasks.worlds.course import Course, Operation, Planned
from gem_tasks.worlds.process import Done, Process, following
from gem_tasks.worlds.scenario import Scenario
from gem_tasks.worlds.steps import Answer, Finding, Snapshot, Step
from gem_tasks.worlds.world import World

_INTERNAL: Json = {"error": {"code": "INTERNAL", "message": "Internal error."}}


class Session:
    """A conversation in a world. Deterministic: the same (world, scenario, seed, steps) gives the same answers.

    Attributes:
        state: the state after the last step.
    """

    def __init__(self, world: World, process: Process) -> None:
        self._process, self._course = process, Course(world, Scenario())
        self._first = self.state = first(world)

    def begin(self, scenario: Scenario | None = None, *, seed: int = 0) -> None:
        """Begins another scenario, or the same with another seed, in the running child: milliseconds, not its start.

        Raises:
            RefusedWorldError: the code does not load.
        """
        scenario = scenario or Scenario()
        self._process.load(scenario, seed)
        self._course.begin(scenario)
        self.state = self._first

    def restart(self) -> None:
        """Begins again with the world's first state."""
        self._course.restart()
        self.state = self._first

    def take(self, steps: Sequence[Step]) -> list[Answer]:
        """Takes steps in order; all in one request to the engine."""
        plans = [self._course.plan(step) for step in steps]
        done = iter(self._process.run(self.state, [each for plan in plans for each in plan.operations]))
        return [self._answer(plan, [next(done) for _ in plan.operations]) for plan in plans]

    def _answer(self, plan: Planned, done: list[Done]) -> Answer:
        for each in done:
            self.state = following(self.state, each)
        findings = [_finding(each, op) for each, op in zip(done, plan.operations, strict=True) if each.reason]
        result = plan.told if plan.main is None else _result(plan, done[plan.main])
        if plan.violation and plan.main is not None and result == plan.violation.answer:
            name = plan.operations[plan.main].name
            findings.append(Finding(reason="unenforced", detail=plan.violation.message, where=name))
        changed = tuple(sorted({table for each in done for table in each.changed}))
        return Answer(result=result, changed=changed, findings=tuple(findings))


def _result(plan: Planned, done: Done) -> Json:
    """The world's own error comes first, then the schema's, then the scenario's."""
    if done.result is None:
        return _INTERNAL
    own: Json = json.loads(done.result)
    if own.get("error") is not None:
        return own
    if plan.violation:
        return plan.violation.answer
    return plan.told or own


def _finding(done: Done, operation: Operation) -> Finding:
    fault_of = "scenario" if operation.kind == "event" else "world"
    return Finding.model_validate(
        {"reason": done.reason, "detail": done.detail, "where": operation.name, "fault_of": fault_of}
    )


def first(world: World) -> Snapshot:
    """The state in which every session of a world begins."""
    tables = {name: json.dumps(value) for name, value in world.state.items()}
    return Snapshot(tables=tables, ids={prefix: each.model_dump() for prefix, each in world.ids.items()})


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
