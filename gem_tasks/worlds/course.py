"""From steps to operations of the engine: the clock, events and faults of a scenario.

What happens depends on the steps only, never on results, so that a whole conversation is one request to the engine.
"""

import json
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from gem_tasks.domain.base import Json
from gem_tasks.worlds.arguments import ArgumentCheck, Violation
from gem_tasks.worlds.scenario import Event, Fault, Scenario, Trigger, contains
from gem_tasks.worlds.steps import Call, Deed, Step, Turn
from gem_tasks.worlds.world import World

Fits = Callable[[Trigger], bool]


class Operation(NamedTuple):
    """What the engine does: `read`, `write`, `probe` (a write that is taken back), `event` or `advance`."""

    kind: str
    name: str
    text: str
    """JSON as the engine reads it: `[kind, name, arguments]`, or seconds."""


class Planned(NamedTuple):
    """The operations of one step, and how its result is made."""

    operations: tuple[Operation, ...]
    main: int | None = None
    """The operation whose result the call has; None: none is carried out."""
    told: Json | None = None
    """The result that replaces it, unless the world refused the call itself."""
    violation: Violation | None = None
    """What the schema forbids, if the world did not refuse the call itself."""


class Course:
    """A conversation's way through a scenario: what has happened so far.

    Raises:
        ValueError: a tool's schema is invalid.
    """

    def __init__(self, world: World, scenario: Scenario) -> None:
        self._world = world
        self._tools = {tool.name: tool for tool in world.tools}
        self._checks = {tool.name: ArgumentCheck(tool.parameters) for tool in world.tools}
        self._turns, self._calls = _advance(world.clock.per_turn_s), _advance(world.clock.per_call_s)
        self.begin(scenario)

    def begin(self, scenario: Scenario) -> None:
        """Begins another scenario."""
        self._scenario = scenario
        self.restart()

    def restart(self) -> None:
        """Forgets what happened."""
        self._happened: set[str] = set()
        self._failures: list[list[int]] = [[] for _ in self._scenario.faults]
        self._turn = self._seconds = 0

    def plan(self, step: Step) -> Planned:
        """The operations of the next step.

        Raises:
            ValueError: a deed that the scenario does not have.
        """
        if isinstance(step, Turn):
            return self._turned()
        return self._done(step) if isinstance(step, Deed) else self._called(step)

    def _turned(self) -> Planned:
        self._turn += 1
        self._seconds += self._world.clock.per_turn_s
        return Planned((*self._turns, *self._happens(lambda trigger: trigger.turn == self._turn)))

    def _done(self, deed: Deed) -> Planned:
        event = self._scenario.events.get(deed.name)
        if event is None or event.trigger is not None:
            raise ValueError(f"the scenario has no deed {deed.name!r}")
        self._happened.add(deed.name)
        return Planned((_event(deed.name),))

    def _called(self, call: Call) -> Planned:
        tool = self._tools.get(call.name)
        if tool is None:
            return Planned((), told={"error": {"code": "UNKNOWN_TOOL", "message": f"No tool {call.name[:64]}."}})
        given, violation = self._checks[call.name].read(call.arguments)
        if violation and violation.of_shape:
            return Planned((), told=violation.answer)
        self._seconds += self._world.clock.per_call_s
        before = (*self._calls, *self._around(call, "before"))
        if violation:
            return Planned((*before, _call("probe", call.name, given)), main=len(before), violation=violation)
        fault = self._fails(call)
        if fault and fault.kind != "timeout":
            return Planned(before, told=fault.answer)
        main = _call("read" if tool.reads else "write", call.name, given)
        after = self._around(call, "after")
        return Planned((*before, main, *after), main=len(before), told=fault.answer if fault else None)

    def _around(self, call: Call, when: str) -> tuple[Operation, ...]:
        def fits(trigger: Trigger) -> bool:
            return trigger.tool == call.name and trigger.when == when and contains(call.arguments, trigger.arguments)

        return self._happens(fits)

    def _happens(self, fits: Fits) -> tuple[Operation, ...]:
        if not self._scenario.events:
            return ()
        names = [name for name, event in self._scenario.events.items() if self._due(name, event, fits)]
        self._happened.update(names)
        return tuple(map(_event, names))

    def _due(self, name: str, event: Event, fits: Fits) -> bool:
        trigger = event.trigger
        return name not in self._happened and trigger is not None and trigger.needs <= self._happened and fits(trigger)

    def _fails(self, call: Call) -> Fault | None:
        for fault, failures in zip(self._scenario.faults, self._failures, strict=True):
            matches = fault.tool == call.name and contains(call.arguments, fault.arguments)
            if matches and fault.needs <= self._happened and self._lasts(fault, failures):
                failures.append(self._seconds)
                return fault
        return None

    def _lasts(self, fault: Fault, failures: list[int]) -> bool:
        """Whether it fails once more; `failures`: the runtime's seconds at those so far."""
        over = fault.seconds is not None and bool(failures) and self._seconds - failures[0] >= fault.seconds
        return len(failures) < fault.times and not over


def _call(kind: str, name: str, given: str) -> Operation:
    return Operation(kind, name, f'["{kind}",{_quoted(name)},{given}]')


def _event(name: str) -> Operation:
    return _call("event", name, "null")


def _advance(seconds: int) -> tuple[Operation, ...]:
    return (Operation("advance", "", str(seconds)),) if seconds else ()


@lru_cache(4096)
def _quoted(name: str) -> str:
    return json.dumps(name)
