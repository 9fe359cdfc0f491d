"""What a row says about its execution: the steps in its metadata, and the results that its conversation shows."""

import json
from dataclasses import dataclass, replace
from typing import Any, cast

from pydantic import ValidationError

from gem_tasks.domain.base import Json
from gem_tasks.lint.replay.compare import first_difference
from gem_tasks.lint.rows import Conversation
from gem_tasks.lint.turns import MOST
from gem_tasks.worlds.played import Execution
from gem_tasks.worlds.steps import Call, Deed, Step

_FIELDS = frozenset(Execution.model_fields) - {"reasons"}


class NoProofError(ValueError):
    """The row says that it was executed, but its record cannot be read; the message is the reason."""


@dataclass(frozen=True, slots=True)
class Told:
    """A turn of the user, or a call of the assistant with the result that the conversation shows."""

    place: int | None
    """Position of the message in the row."""
    name: str | None = None
    """The tool; None: a turn of the user."""
    arguments: Json | None = None
    result: str | None = None
    """None: the conversation shows none."""
    shown_at: int | None = None
    """Position of the result in the row."""


def execution_of(row: Json) -> Execution | None:
    """The record of a row's execution; None if the row does not say that it was executed.

    Raises:
        NoProofError: it says so, but the record is incomplete or malformed.
    """
    metadata = _object(row.get("metadata"))
    found = _object(metadata.get("execution")) or metadata
    claimed = metadata.get("verified") == "executed"
    if not claimed and not ("world" in found and "steps" in found):
        return None
    given = {name: found[name] for name in _FIELDS if name in found}
    if isinstance(given.get("steps"), str):
        given["steps"] = _parsed(given["steps"])
    try:
        execution = Execution.model_validate({"reached": True, **given})
    except (ValidationError, RecursionError) as error:
        raise NoProofError(f"the record of the execution is incomplete: {_first(error)}") from None
    if len(execution.steps) > 2 * MOST:
        raise NoProofError(f"the execution has more than {2 * MOST:,} steps")
    return execution


def told_by(found: Conversation) -> list[Told]:
    """Turns and calls of the conversation in order, calls with their results."""
    told, waiting = list[Told](), dict[str, int]()
    for message, place in zip(found.trajectory.messages, found.places, strict=True):
        if message.role == "user":
            told.append(Told(place))
        elif message.role == "tool":
            _answer(told, waiting.pop(message.tool_call_id or "", None), message.content or "", place)
        for call in message.tool_calls:
            waiting[call.id] = len(told)
            told.append(Told(place, found.tool_names.get(call.name, call.name), call.arguments))
    return told


def _answer(told: list[Told], at: int | None, result: str, place: int | None) -> None:
    """Notes the result of a call; one that no call waits for is kept, and agrees with no step."""
    if at is None:
        told.append(Told(place, "(a result without a call)"))
    else:
        told[at] = replace(told[at], result=result, shown_at=place)


def agree(told: Told, step: Step) -> bool:
    """Whether a turn or call of the conversation is that step."""
    if not isinstance(step, Call):
        return told.name is None
    return told.name == step.name and first_difference(told.arguments, step.arguments) is None


def acted(steps: tuple[Step, ...]) -> list[tuple[int, Step]]:
    """The steps that a conversation shows, with their positions: deeds happen outside it."""
    return [(index, step) for index, step in enumerate(steps) if not isinstance(step, Deed)]


def _object(found: Any) -> Json:
    parsed = _parsed(found) if isinstance(found, str) else found
    return cast(Json, parsed) if isinstance(parsed, dict) else {}


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _first(error: ValidationError | RecursionError) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    first = error.errors()[0]
    return f"{'.'.join(map(str, first['loc']))[:80]}: {first['msg'][:120]}"
