"""Reads a row of any dataset as a conversation, in the format that its columns show or the caller names.

| format | columns |
|---|---|
| openai | `messages`, `tools`; both may be JSON strings (TRL, Toucan, GEM's own export) |
| trl | also `prompt` + `completion`, or `prompt` + `chosen` |
| sharegpt | `conversations`, `system`, `tools` (LLaMA-Factory, APIGen-MT, ms-swift's roles too) |
| hermes | either, with `<tools>` in the system prompt and `<tool_call>`, `<tool_response>` in the words (also Qwen) |
| xlam | `query`, `tools`, `answers`: one question, and the calls that answer it |
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from pydantic import ValidationError

from gem_tasks.checks.reading.case import Evidence
from gem_tasks.domain.base import Json
from gem_tasks.domain.spans import between, without
from gem_tasks.domain.trajectory import Trajectory
from gem_tasks.domain.workflow import Extraction
from gem_tasks.lint.kinds import FormFault, FormKind
from gem_tasks.lint.tools import ToolsError, read_tools, renamed
from gem_tasks.lint.turns import TurnError, Turns, read_turns

_TOOL_COLUMNS = ("tools", "available_tools", "functions", "tools_json")
_ID_COLUMNS = ("id", "uuid", "trajectory_id", "conversation_id", "uid")
_TOOLS_TAG = re.compile("<tools>"), re.compile("</tools>")
_TAG = re.compile(r"</?(tools|tool_call|tool_response|think|func\w*|scratch_pad)>")


class RowError(ValueError):
    """A row is not a conversation; `message` is the faulty turn, if it is a single turn."""

    def __init__(self, kind: FormKind, why: str, message: int | None = None) -> None:
        super().__init__(why)
        self.kind, self.message = kind, message


@dataclass(frozen=True, slots=True)
class Columns:
    """Columns with the data that the comparing checks need."""

    text: str = "source_text"
    """The source text of the conversation."""
    extraction: str = "extraction"
    """GEM's workflows of that text."""


DEFAULT_COLUMNS = Columns()


@dataclass(frozen=True, slots=True)
class Conversation:
    """A row as GEM's conversation."""

    ident: str | None
    format: str
    trajectory: Trajectory
    evidence: Evidence
    places: tuple[int | None, ...]
    """For each message of the trajectory, its position in the row; None if it has a separate column."""
    notes: tuple[FormFault, ...]
    """Warnings about the format."""
    tool_names: dict[str, str]
    """Names by which tools are known here, to the names that the row gives them."""

    @property
    def compared(self) -> bool:
        """Whether the row has its source: then GEM's own rules of form apply."""
        return self.evidence.text is not None or self.evidence.extraction is not None


def read_row(row: Json, format_: str | None = None, columns: Columns = DEFAULT_COLUMNS) -> Conversation:
    """The conversation of a row.

    Args:
        row: its columns.
        format_: one of `FORMATS`; None to tell by the columns.
        columns: columns of the source text and the extraction.

    Raises:
        RowError: it contains no readable conversation.
    """
    name = format_ or guess(row)
    try:
        turns, listed = FORMATS[name](row)
        tools, notes = read_tools(listed)
    except TurnError as error:
        raise RowError(FormKind.UNREADABLE_TURN, str(error), error.index) from None
    except ToolsError as error:
        raise RowError(FormKind.UNREADABLE_TOOLS, str(error)) from None
    except RecursionError:
        raise RowError(FormKind.TOO_DEEP, "the row is nested too deeply") from None
    reused = tuple(
        FormFault(FormKind.REUSED_CALL_ID, f"call id {ident[:60]!r} is used again") for ident in sorted(turns.reused)
    )
    names = dict(renamed(tools))
    odd = tuple(
        FormFault(FormKind.TOOL_NAME, f"{name[:80]!r} is not a name that the Chat Completions API accepts")
        for name in names
    )
    return Conversation(
        _ident(row),
        name,
        _renamed(Trajectory(tools=tools, messages=tuple(turns.messages)), names),
        _evidence(row, columns),
        tuple(turns.places),
        (*notes, *reused, *odd),
        {ours: theirs for theirs, ours in names.items()},
    )


def guess(row: Json) -> str:
    """The format by the columns.

    Raises:
        RowError: none has these columns.
    """
    if "messages" in row:
        return "hermes" if _tagged(row["messages"]) else "openai"
    if "conversations" in row:
        return "hermes" if _tagged(row["conversations"]) else "sharegpt"
    if "prompt" in row and ("completion" in row or "chosen" in row):
        return "trl"
    if "query" in row and "answers" in row:
        return "xlam"
    named = ", ".join(sorted(str(name)[:30] for name in row)[:12]) or "none"
    raise RowError(FormKind.UNKNOWN_COLUMNS, f"no known form has these columns: {named}")


def _tagged(turns: Any) -> bool:
    """Whether the text contains calls in tags."""
    text = turns if isinstance(turns, str) else json.dumps(turns, default=str)
    return "<tool_call>" in text or "<tools>" in text


def _openai(row: Json) -> tuple[Turns, Any]:
    return read_turns(_listed(row["messages"]), _system(row)), _tools(row)


def _trl(row: Json) -> tuple[Turns, Any]:
    parts: list[Any] = []
    for name in ("prompt", "completion" if "completion" in row else "chosen"):
        part = _listed(row.get(name))
        if not isinstance(part, list):
            raise TurnError(0, f"`{name}` is not a list of messages")
        parts += cast("list[Any]", part)
    return read_turns(parts, _system(row)), _tools(row)


def _sharegpt(row: Json) -> tuple[Turns, Any]:
    return read_turns(_listed(row["conversations"]), _system(row)), _tools(row)


def _hermes(row: Json) -> tuple[Turns, Any]:
    """Reads tools that only the system prompt contains; its mention of tags is not a leak."""
    turns = read_turns(_listed(row["messages" if "messages" in row else "conversations"]), _system(row))
    first = turns.messages[0]
    listed = _tools(row)
    if first.role == "system" and first.content:
        shown = [span.inner.strip() for span in between(first.content, *_TOOLS_TAG)]
        if not listed and (within := next(filter(None, shown), "")):
            listed = within if within.startswith("[") else within.splitlines()
        plain = _TAG.sub(r"\1", without(first.content, between(first.content, *_TOOLS_TAG))).strip()
        turns.messages[0] = first.model_copy(update={"content": plain or "(tools)"})
    return turns, listed


def _xlam(row: Json) -> tuple[Turns, Any]:
    answer = {"role": "function_call", "content": row["answers"]}
    if not isinstance(row["answers"], str):
        answer = {"role": "assistant", "tool_calls": row["answers"]}
    return read_turns([{"role": "user", "content": row["query"]}, answer], _system(row)), _tools(row)


FORMATS: dict[str, Callable[[Json], tuple[Turns, Any]]] = {
    "openai": _openai,
    "trl": _trl,
    "sharegpt": _sharegpt,
    "hermes": _hermes,
    "xlam": _xlam,
}
"""Readers by format; a new format is a function and a line here."""


def _listed(found: Any) -> Any:
    """A list of turns, which some datasets hold as a JSON string."""
    if not isinstance(found, str):
        return found
    try:
        return json.loads(found)
    except (ValueError, RecursionError):
        raise TurnError(0, "the conversation is a text, but not JSON") from None


def _system(row: Json) -> str | None:
    found = row.get("system", row.get("system_prompt"))
    if found is not None and not isinstance(found, str):
        raise TurnError(0, f"the system prompt is of type {type(found).__name__}, not text")
    return found


def _tools(row: Json) -> Any:
    return next((row[name] for name in _TOOL_COLUMNS if row.get(name)), None)


def _ident(row: Json) -> str | None:
    metadata = row.get("metadata")
    if isinstance(metadata, str):
        metadata = _object(metadata)
    places = (row, cast(Json, metadata) if isinstance(metadata, dict) else {})
    found = (place.get(name) for place in places for name in _ID_COLUMNS)
    return next((str(ident)[:200] for ident in found if isinstance(ident, str | int) and str(ident)), None)


def _object(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _evidence(row: Json, columns: Columns) -> Evidence:
    """The extraction; None if it cannot be read: the checks that need it report nothing."""
    text, found = row.get(columns.text), row.get(columns.extraction)
    if isinstance(found, str):
        found = _object(found)
    try:
        extraction = Extraction.model_validate(found) if found else None
    except ValidationError as error:
        raise RowError(FormKind.UNREADABLE_EXTRACTION, f"`{columns.extraction}`: {error.errors()[0]['msg']}") from None
    return Evidence(text if isinstance(text, str) else None, extraction)


def _renamed(trajectory: Trajectory, names: dict[str, str]) -> Trajectory:
    """The trajectory with names that the schema check accepts, in definitions and calls."""
    if not names:
        return trajectory
    tools = tuple(tool.model_copy(update={"name": names.get(tool.name, tool.name)}) for tool in trajectory.tools)
    messages = tuple(
        message.model_copy(
            update={
                "tool_calls": tuple(
                    call.model_copy(update={"name": names.get(call.name, call.name)}) for call in message.tool_calls
                )
            }
        )
        for message in trajectory.messages
    )
    return Trajectory(tools=tools, messages=messages)
