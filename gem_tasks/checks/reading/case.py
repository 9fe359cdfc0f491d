"""A trajectory as the checks read it: calls with their answers, parsed once for all checks.

Answers the two questions of every check about behaviour: what did this call return, and did it succeed?
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, cast

from gem_tasks.checks.reading.said import Utterance
from gem_tasks.domain.base import Json
from gem_tasks.domain.trajectory import Message, ToolCall, Trajectory
from gem_tasks.domain.workflow import Extraction, ToolSpec
from gem_tasks.patterns import IgnoringCase

MAX_DEPTH = 64
"""Deepest nesting to follow; no tool sends deeper JSON, and recursion must end."""

_FAILED_STATES = {"error", "failure", "failed", "denied", "forbidden", "unauthorized", "not_found", "invalid_request"}
_STATUS_CODES = ("status_code", "statusCode", "http_status", "code")
_CLIENT_ERROR, _LAST_CODE = 400, 599
_ERROR_TEXT = IgnoringCase(r"\s*(?:error|exception|failed|failure|forbidden|unauthori[sz]ed|not found)\b")
_EXPLAINS = {"message", "detail", "details", "reason", "error_code", "error_message", "code", "errors"}


class NotJson:
    """Marks an answer that is not JSON; None would be mistaken for `null`."""


NOT_JSON = NotJson()

Rows = tuple[tuple[str, Json], ...]
"""`(json path, object)` for every object inside a JSON value."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """The sources of a trajectory. Checks that need a missing part report nothing."""

    text: str | None = None
    """The segment's text."""
    extraction: Extraction | None = None
    """The workflows found in it; the trajectory is about the first."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One call and its answer."""

    call: ToolCall
    index: int
    """Index of the message with the call."""
    answer_index: int | None
    """Index of the tool message; None if there is no answer."""
    data: Any
    """The answer as JSON, or `NOT_JSON`."""
    failed: bool
    """Whether the answer reports an error, or is missing."""
    rows: Rows
    """Rows of the answer."""


@dataclass(frozen=True)
class Case:
    """A trajectory, its evidence, and derived data that several checks share."""

    trajectory: Trajectory
    evidence: Evidence = field(default_factory=Evidence)

    @property
    def messages(self) -> tuple[Message, ...]:
        """Messages of the trajectory."""
        return self.trajectory.messages

    @cached_property
    def tools(self) -> dict[str, ToolSpec]:
        """Tools by name; of duplicates, the first."""
        found: dict[str, ToolSpec] = {}
        for tool in self.trajectory.tools:
            found.setdefault(tool.name, tool)
        return found

    @cached_property
    def data(self) -> dict[int, Any]:
        """The parsed content of every tool message, by message index."""
        return {index: parsed(message.content) for index, message in enumerate(self.messages) if message.role == "tool"}

    @cached_property
    def rows(self) -> dict[int, Rows]:
        """Every object inside the results, by message index: several checks iterate over them."""
        return {index: tuple(objects(data)) for index, data in self.data.items()}

    @cached_property
    def utterances(self) -> tuple[Utterance, ...]:
        """Every message as an utterance; each reading is made once for all checks."""
        return tuple(Utterance(message.content or "") for message in self.messages)

    @cached_property
    def exchanges(self) -> tuple[Exchange, ...]:
        """Every call with its answer, in the order of the calls."""
        return tuple(self._exchanges())

    @cached_property
    def answered(self) -> dict[int, Exchange]:
        """The exchange that a tool message belongs to, by message index."""
        return {item.answer_index: item for item in self.exchanges if item.answer_index is not None}

    @cached_property
    def asked(self) -> dict[int, str]:
        """The arguments that a tool message answers, as JSON, by message index."""
        return {at: json.dumps(item.call.arguments, ensure_ascii=False) for at, item in self.answered.items()}

    @cached_property
    def system(self) -> str:
        """The system turn; empty if there is none."""
        first = self.messages[0] if self.messages else None
        return (first.content or "") if first and first.role == "system" else ""

    def _exchanges(self) -> Iterator[Exchange]:
        for index, message in enumerate(self.messages):
            if not message.tool_calls:
                continue
            answers: dict[str, int] = {}
            for after in range(index + 1, len(self.messages)):
                if self.messages[after].role != "tool":
                    break
                answers.setdefault(self.messages[after].tool_call_id or "", after)
            for call in message.tool_calls:
                place = answers.get(call.id)
                data = NOT_JSON if place is None else self.data[place]
                raw = "" if place is None else self.messages[place].content or ""
                rows = () if place is None else self.rows[place]
                yield Exchange(call, index, place, data, place is None or failed(data, raw), rows)


def parsed(content: str | None) -> Any:
    """The JSON value of a text, or `NOT_JSON`. NaN and Infinity are Python's extension, not JSON (RFC 8259)."""
    try:
        return _JSON.decode(content or "")
    except (ValueError, RecursionError):
        return NOT_JSON


def failed(data: Any, raw: str = "") -> bool:
    """Whether an answer reports an error in one of the common forms of APIs.

    An `error` member (JSON:API, OpenAI, GraphQL's `errors`), `success`/`ok` false, MCP's `isError`, an HTTP code from
    400 to 599, an error state with an explanation and nothing else, or plain text that begins with "Error".
    """
    if isinstance(data, NotJson) or isinstance(data, str):
        return bool(_ERROR_TEXT.match(data if isinstance(data, str) else raw))
    if not isinstance(data, dict):
        return False
    body = cast(Json, data)
    if body.get("error") or body.get("errors") or body.get("isError") is True or body.get("is_error") is True:
        return True
    if any(body.get(flag) is False for flag in ("success", "ok", "succeeded")):
        return True
    if any(_is_error_code(body.get(name)) for name in _STATUS_CODES):
        return True
    state = body.get("status")
    return isinstance(state, str) and state.lower() in _FAILED_STATES and set(body) - {"status"} <= _EXPLAINS


def _is_error_code(code: Any) -> bool:
    return type(code) is int and _CLIENT_ERROR <= code <= _LAST_CODE


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


_JSON = json.JSONDecoder(parse_constant=_refuse)


def objects(value: Any) -> Iterator[tuple[str, Json]]:
    """`(json path, object)` for every object inside a JSON value, outer ones first."""
    stack: list[tuple[str, Any, int]] = [("$", value, 0)]
    while stack:
        path, node, depth = stack.pop()
        if depth > MAX_DEPTH:
            continue
        parts: list[tuple[str, Any]] = []
        if isinstance(node, dict):
            row = cast(Json, node)
            yield path, row
            parts = [(f"{path}.{key}", part) for key, part in row.items() if isinstance(part, _NESTS)]
        elif isinstance(node, list):
            rows = enumerate(cast("list[Any]", node))
            parts = [(f"{path}[{at}]", part) for at, part in rows if isinstance(part, _NESTS)]
        stack.extend((where, part, depth + 1) for where, part in reversed(parts))


_NESTS = (dict, list)


def scalars(value: Any) -> Iterator[tuple[str, str, Any]]:
    """`(json path, name of the innermost field, scalar)` inside a JSON value."""
    stack: list[tuple[str, str, Any, int]] = [("$", "", value, 0)]
    while stack:
        path, name, node, depth = stack.pop()
        if depth > MAX_DEPTH:
            continue
        if isinstance(node, dict):
            row = cast(Json, node)
            stack.extend([(f"{path}.{key}", key, part, depth + 1) for key, part in reversed(row.items())])
        elif isinstance(node, list):
            parts = list(enumerate(cast("list[Any]", node)))
            stack.extend([(f"{path}[{at}]", name, part, depth + 1) for at, part in reversed(parts)])
        else:
            yield path, name, node
