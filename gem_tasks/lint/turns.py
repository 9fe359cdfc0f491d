"""Converts messages of datasets to messages of the Chat Completions API, with their positions in the row.

| role | written as |
|---|---|
| role | `role` or `from`; `human`, `gpt`, `function_call`, `tool_call`, `observation`, `tool_response`, `ipython`, … |
| words | `content` or `value`: a text, parts of a text, or nothing |
| calls | `tool_calls` (arguments as text or object), `function_call`, a separate turn, `<tool_call>` in the text |
| thoughts | `reasoning_content`, `reasoning`, `thinking`, a part of type `thinking`, a leading `<think>` in the text |
| results | a separate turn, `<tool_response>` in the text (also in a user's turn), several in one |

Calls without ids get new ones; results without ids follow the order of the calls.
"""

import ast
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, cast

from gem_tasks.domain.base import Json
from gem_tasks.domain.spans import between, without
from gem_tasks.domain.trajectory import Message, Role, ToolCall

ROLES: dict[str, str] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "gpt": "assistant",
    "model": "assistant",
    "bot": "assistant",
    "chatbot": "assistant",
    "function_call": "call",
    "function-call": "call",
    "tool_call": "call",
    "tool_calls": "call",
    "tool": "tool",
    "function": "tool",
    "observation": "tool",
    "tool_response": "tool",
    "tool_result": "tool",
    "tool_results": "tool",
    "function_response": "tool",
    "function-response": "tool",
    "ipython": "tool",
    "environment": "tool",
}
"""Role names in use; `call` is an assistant's turn with calls only."""

_CALLED = re.compile(r"<(tool_call|function_call|functioncall)>(.*?)(?:</\1>|$)", re.DOTALL)
_ANSWERED = re.compile("<tool_response>"), re.compile("</tool_response>")
_THOUGHT = re.compile(r"(?:(?<!\s)\s++)?<think(?:ing)?>"), re.compile(r"</think(?:ing)?>\s*+")
_LOST = re.compile("tool|function")
"""Types of parts of a text that hold a call or a result: without them, it is another conversation."""
_NOTHING = ("", "null", "None")

MOST = 5000
"""Most messages, and most calls, of a row: the checks read fewer, and pairing calls with results takes their square."""


class TurnError(ValueError):
    """A turn cannot be read: the message has the reason, `index` the turn."""

    def __init__(self, index: int, why: str) -> None:
        super().__init__(why)
        self.index = index


@dataclass
class Turns:
    """The messages read so far."""

    messages: list[Message] = field(default_factory=list[Message])
    places: list[int | None] = field(default_factory=list[int | None])
    """For each message, the position in the row that it was read from; None if it has a separate column."""
    reused: set[str] = field(default_factory=set[str])
    """Call ids that the row gives to several calls, one after the other: pairs are still clear."""
    _answered: set[str] = field(default_factory=set[str])
    _waiting: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    """`(the row's id, GEM's id)` of calls without a result."""
    _calls: int = 0

    def add(self, role: Role, content: str | None, place: int | None, **more: Any) -> None:
        """Appends a message; if the assistant speaks and calls in separate turns, they become one."""
        last = self.messages[-1] if self.messages else None
        calls: tuple[ToolCall, ...] = more.get("tool_calls", ())
        if role == "assistant" and calls and last and last.role == "assistant" and (content is None):
            thought = "\n".join(filter(None, (last.reasoning, more.get("reasoning")))) or None
            self.messages[-1] = last.model_copy(update={"tool_calls": last.tool_calls + calls, "reasoning": thought})
            return
        if len(self.messages) >= MOST:
            raise TurnError(place or 0, f"the conversation has more than {MOST:,} messages")
        self.messages.append(Message(role=role, content=content, **more))
        self.places.append(place)

    def call(self, name: str, arguments: Json, ident: str = "") -> ToolCall:
        """Adds a call, which waits for its result; if an answered call has the same id, it gets another."""
        self._calls += 1
        if self._calls > MOST:
            raise TurnError(len(self.messages), f"the conversation has more than {MOST:,} calls")
        ours = ident or f"call_{self._calls}"
        if ident in self._answered:
            self.reused.add(ident)
            ours = f"{ident}@{self._calls}"
        self._waiting.append((ident, ours))
        return ToolCall(id=ours, name=name, arguments=arguments)

    def answered(self, ident: str) -> str:
        """The id of the call that a result answers: by its own id, otherwise the first waiting call."""
        at = next((at for at, (theirs, _) in enumerate(self._waiting) if theirs == ident), None) if ident else None
        if at is None and ident and any(theirs for theirs, _ in self._waiting):
            return ident  # the row has ids, and no call waits for this one: the structure check reports it
        if not self._waiting:
            return ident
        theirs, ours = self._waiting.pop(at or 0)
        self._answered.add(theirs)
        return ours

    def forget(self) -> None:
        """Notes that the conversation has continued: earlier calls no longer wait."""
        self._waiting.clear()


@dataclass(frozen=True, slots=True)
class _Called:
    name: str
    arguments: Json
    ident: str = ""


def read_turns(found: Any, system: str | None = None) -> Turns:
    """The conversation of a row.

    Args:
        found: its list of turns.
        system: the system prompt, if it has a separate column.

    Raises:
        TurnError: it cannot be read.
    """
    turns = Turns()
    if system and system.strip():
        turns.add("system", system, None)
    if not isinstance(found, list) or not found:
        raise TurnError(0, "the conversation is not a list of messages" if found else "the conversation is empty")
    for index, item in enumerate(cast("list[Any]", found)):
        if not isinstance(item, dict):
            raise TurnError(index, "a message is not a JSON object")
        _turn(turns, index, cast(Json, item))
    return turns


def _turn(turns: Turns, index: int, item: Json) -> None:
    said = item.get("role", item.get("from"))
    role = ROLES.get(said.strip().lower()) if isinstance(said, str) else None
    if role is None:
        raise TurnError(index, f"unknown role {str(said)[:40]!r}")
    content = _words(index, item.get("content", item.get("value")))
    if role in ("call", "assistant"):
        thought, said = _apart(item, content or "")
        words, calls = (None, _written_calls(index, said)) if role == "call" else _spoken(index, item, said)
        _assistant(turns, index, words, calls, thought)
    elif role == "tool":
        _results(turns, index, item, content or "")
    elif role == "user" and (answers := _answers(content or "")):
        for answer in answers:
            turns.add("tool", answer, index, tool_call_id=turns.answered(""))
    else:
        turns.add("system" if role == "system" else "user", content, index)


def _apart(item: Json, content: str) -> tuple[str | None, str]:
    """`(thought, the rest)` of an assistant's turn: several thoughts become one."""
    beside = [item.get(name) for name in ("reasoning_content", "reasoning", "thinking")]
    parts: Any = item.get("content")
    for part in cast("list[Any]", parts) if isinstance(parts, list) else []:
        beside.append(cast(Json, part).get("thinking") if isinstance(part, dict) else None)
    inside = list(between(content, *_THOUGHT)) if content.lstrip().startswith("<think") else []
    thoughts = [each for each in beside if isinstance(each, str)] + [span.inner for span in inside]
    told = dict.fromkeys(each.strip() for each in thoughts if each.strip())  # some datasets have it twice
    return "\n".join(told) or None, without(content, inside) if inside else content


def _spoken(index: int, item: Json, words: str) -> tuple[str | None, list[_Called]]:
    """An assistant's words without tags, and its calls."""
    calls = list(_listed_calls(index, item))
    if not calls:
        calls = [called for match in _CALLED.finditer(words) for called in _written_calls(index, match[2].strip())]
        words = _CALLED.sub("", words).strip() if calls else words
    return (words or None), calls


def _assistant(turns: Turns, index: int, words: str | None, calls: list[_Called], thought: str | None) -> None:
    if calls and not (turns.messages and turns.messages[-1].role == "assistant"):
        turns.forget()
    made = tuple(turns.call(called.name, called.arguments, called.ident) for called in calls)
    turns.add("assistant", words, index, tool_calls=made, reasoning=thought)


def _results(turns: Turns, index: int, item: Json, content: str) -> None:
    """Adds one result, or several that a format without parallel results has merged."""
    ident = _ident(item.get("tool_call_id", item.get("id")))
    answers = _answers(content) or _joined(content) or [content]
    for answer in answers:
        turns.add("tool", answer, index, tool_call_id=turns.answered(ident))


def _answers(content: str) -> list[str]:
    return [span.inner.strip() for span in between(content, *_ANSWERED)]


def _joined(content: str) -> list[str]:
    """LLaMA-Factory's parallel results: only the tags between them are written."""
    parts = re.split(r"(?:(?<!\s)\s++)?</tool_response>\s*+<tool_response>\s*+", content.strip())
    return parts if len(parts) > 1 else []


def _listed_calls(index: int, item: Json) -> Iterator[_Called]:
    """The calls beside the words, of `tool_calls`, otherwise of `function_call`."""
    listed, legacy = _column(item, "tool_calls"), _column(item, "function_call")
    if listed is not None and not isinstance(listed, list | dict):
        raise TurnError(index, f"`tool_calls` are not a list of calls: {str(listed)[:60]!r}")
    for call in _as_list(listed or []):
        yield _called(index, call)
    if listed or legacy is None:
        return
    if not isinstance(legacy, dict):
        raise TurnError(index, f"`function_call` is not a call: {str(legacy)[:60]!r}")
    yield _called(index, legacy)


def _column(item: Json, name: str) -> Any:
    """A column's calls, also from a text; None if it holds none: Arrow fills the columns of other rows with nulls."""
    found: Any = item.get(name)
    if isinstance(found, str):
        read: Any = _json(found)
        found = found if read is None and found.strip() not in _NOTHING else read
    empty = isinstance(found, dict) and not any(cast(Json, found).values())
    return None if empty else cast("Any", found) or None


def _written_calls(index: int, text: str) -> list[_Called]:
    found = _json(text)
    if found is None:
        raise TurnError(index, f"a call is not valid JSON: {text[:80]!r}")
    return [_called(index, call) for call in _as_list(found)]


def _as_list(found: Any) -> list[Any]:
    return cast("list[Any]", found) if isinstance(found, list) else [found]


def _called(index: int, call: Any) -> _Called:
    whole = cast(Json, call) if isinstance(call, dict) else {}
    inner = whole.get("function")
    body = cast(Json, inner) if isinstance(inner, dict) else whole
    name = body.get("name", inner if isinstance(inner, str) else None)
    if not isinstance(name, str) or not name:
        raise TurnError(index, "a call has no name")
    arguments: Any = body.get("arguments", body.get("parameters"))
    return _Called(name, _arguments(index, name, arguments), _ident(whole.get("id")))


def _ident(found: Any) -> str:
    """A call's id, which some datasets write as a number; empty without one."""
    return str(found) if isinstance(found, str | int) else ""


def _arguments(index: int, name: str, written: Any) -> Json:
    """The arguments, given as an object or as text; empty if missing."""
    if written is None or written == "":
        return {}
    found: Any = _json(written) if isinstance(written, str) else written
    if not isinstance(found, dict):
        raise TurnError(index, f"the arguments of {name[:60]} are not a JSON object: {str(written)[:60]!r}")
    return cast(Json, found)


def _json(text: str) -> Any:
    """Reads JSON, or Python's notation, which datasets made with `str(call)` contain; None for anything else."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass
    try:
        return ast.literal_eval(text.strip()[:100_000])
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
        return None


def _words(index: int, content: Any) -> str | None:
    if content is None or isinstance(content, str):
        return content
    if isinstance(content, list):
        listed = cast("list[Any]", content)
        kinds = (str(cast(Json, part).get("type")) for part in listed if isinstance(part, dict))
        if lost := next(filter(_LOST.search, kinds), None):
            raise TurnError(index, f"a part of type {lost[:40]!r} is not text")
        parts = (cast(Json, part).get("text") if isinstance(part, dict) else part for part in listed)
        return "\n".join(part for part in parts if isinstance(part, str)) or None
    if isinstance(content, dict):
        return json.dumps(content, ensure_ascii=False)
    raise TurnError(index, f"the content is a {type(content).__name__}, not text")
