"""Validate: the judge's three rules as far as rules can see. Blind to sense, exact about values and ids."""

import json
import re
from collections.abc import Iterator
from typing import Any

from gem_tasks.domain.trajectory import Message, ToolCall, Trajectory
from gem_tasks.prompts.dialogue import parse_tools, parse_trajectory
from gem_tasks.prompts.tags import TagError
from gem_tasks.teacher.phrases import scalars

_IDENTIFIER = re.compile(r"\b[A-Z]{1,6}-\d{3,}\b")
_CLAIM = re.compile(r"\bI(?: have|'ve) (?:now |just )?(?:posted|created|sent|cancelled|deleted|updated|booked)\b")
_INABILITY = re.compile(r"\bI (?:cannot|can't|am unable to) (?:use|call|access) ([a-z_]+)\b")


def answer(sections: dict[str, str], seed: int) -> str:
    """The JSON of `prompts/validate.md`."""
    del seed
    try:
        tools = parse_tools(sections.get("tools", "[]"))
        trajectory = parse_trajectory(sections.get("trajectory", ""), tools)
    except TagError as error:
        return json.dumps({"R1": 0, "R2": 0, "R3": 0, "reason": f"unreadable: {error}"})
    faults = {"R1": _arguments(trajectory), "R2": _capability(trajectory), "R3": _context(trajectory)}
    first = {rule: next(found, "") for rule, found in faults.items()}
    reason = next((f"{rule}: {fault}" for rule, fault in first.items() if fault), "")
    return json.dumps({**{rule: int(not fault) for rule, fault in first.items()}, "reason": reason})


def _arguments(trajectory: Trajectory) -> Iterator[str]:
    """Values that nobody gave: not said, not returned, not a default or an option of the schema."""
    said = ""
    for index, message in enumerate(trajectory.messages):
        for call in message.tool_calls:
            for name, value in _free(trajectory, call):
                if not _stands_in(value, said):
                    yield f"message {index}: {name} {value!r} of {call.name} comes from nowhere"
        said += f"\n{(message.content or '').lower()}"


def _free(trajectory: Trajectory, call: ToolCall) -> Iterator[tuple[str, Any]]:
    """Scalar arguments that the schema itself does not supply."""
    tool = trajectory.tool(call.name)
    properties: dict[str, Any] = (tool.parameters.get("properties") or {}) if tool else {}
    for key, value in call.arguments.items():
        schema = properties.get(key, {})
        for name, scalar in scalars(value, key):
            given = scalar in [*schema.get("enum", []), schema.get("default"), schema.get("const")]
            if not given and scalar is not None and not isinstance(scalar, bool):
                yield name, scalar


def _stands_in(value: Any, said: str) -> bool:
    text = str(value).lower()
    plain = text.replace("<", "‹").replace(">", "›")
    escaped = json.dumps(text, ensure_ascii=False)[1:-1]
    return any(form in said for form in (text, plain, escaped)) or (text.endswith(".0") and text[:-2] in said)


def _capability(trajectory: Trajectory) -> Iterator[str]:
    """Deeds that no call did, and inabilities that a tool belies."""
    succeeded = False
    names = {tool.name for tool in trajectory.tools}
    for index, message in enumerate(trajectory.messages):
        if message.role == "tool":
            succeeded = succeeded or '"error"' not in (message.content or "")[:12]
        if message.role == "assistant" and not message.tool_calls:
            text = message.content or ""
            if _CLAIM.search(text) and not succeeded:
                yield f"message {index}: claims a deed before any call succeeded"
            if (match := _INABILITY.search(text)) and match[1] in names:
                yield f"message {index}: denies {match[1]}, which it has"


def _context(trajectory: Trajectory) -> Iterator[str]:
    """Identifiers told to the user that occurred nowhere before."""
    known: set[str] = set()
    for index, message in enumerate(trajectory.messages):
        found = _identifiers(message)
        if message.role == "assistant" and (strange := sorted(found - known)):
            yield f"message {index}: {strange[0]} was never mentioned before"
        known |= found


def _identifiers(message: Message) -> set[str]:
    return set(_IDENTIFIER.findall(message.content or ""))
