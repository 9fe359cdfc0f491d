"""What players do in a world, and what comes back."""

from collections.abc import Sequence
from typing import Any, Literal

from pydantic import Field

from gem_tasks.domain.base import Json, Value
from gem_tasks.worlds.world import FaultReason


class Call(Value):
    """A call of the assistant."""

    kind: Literal["call"] = "call"
    name: str
    arguments: Any
    """Usually an object; anything else is answered with an error."""


class Turn(Value):
    """A message of the user begins."""

    kind: Literal["turn"] = "turn"


class Deed(Value):
    """The user does something outside the tools: an event without a trigger."""

    kind: Literal["deed"] = "deed"
    name: str


Step = Call | Turn | Deed


def told(steps: Sequence[Step]) -> tuple[Step, ...]:
    """Steps with every deed directly before the message of the user that mentions it, as conversations have them.

    A deed between a message and a call belongs to that message; one between two calls gets a message.
    """
    found: list[Step] = []
    waiting = 0
    """Deeds at the end of `found` whose message is still to come."""
    for step in steps:
        if isinstance(step, Call) and waiting:
            before = len(found) - waiting - 1
            if before >= 0 and isinstance(found[before], Turn):
                found.append(found.pop(before))
            else:
                found.append(Turn())
        waiting = waiting + 1 if isinstance(step, Deed) else 0
        found.append(step)
    return (*found, Turn()) if waiting else tuple(found)


class Finding(Value):
    """A fault of code, not of a caller."""

    reason: FaultReason
    detail: str
    where: str
    """The tool or event."""
    fault_of: Literal["world", "scenario"] = "world"
    """`scenario`: an event's code failed, so the task is at fault."""


class Answer(Value):
    """What a step led to."""

    result: Json | None = None
    """What the assistant sees; None if the step is no call."""
    changed: tuple[str, ...] = ()
    """Tables that differ afterwards."""
    findings: tuple[Finding, ...] = ()


class Snapshot(Value):
    """A state between two steps: it and the world are all that a session consists of, apart from its course."""

    tables: dict[str, str]
    """JSON texts by table."""
    ids: dict[str, Json] = Field(default_factory=dict)
    """Counters of `nextId`."""
