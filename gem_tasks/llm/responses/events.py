"""Assembles a streamed chat completion once it has arrived: server-sent events in, the usual object out."""

import json
from collections.abc import Iterator
from typing import Any, cast

from gem_tasks.domain.base import Json
from gem_tasks.llm.bounds import MAX_ANSWER_CHARS, bounded_json

EVENTS = (b"data:", b"event:", b":", b"id:", b"retry:")
"""Beginnings of the lines of a stream."""
_NAMES = ("content", "reasoning_content", "reasoning", "refusal")


def collect(body: bytes) -> Json:
    """The chat completion in a stream. Only the text of an event is kept: a stream may have a million events.

    Raises:
        ValueError: it is cut off, not a stream, or too long.
        KeyError, TypeError, IndexError, AttributeError: its events are not those of a chat completion.
    """
    whole: Json = {"choices": []}
    said = _Said()
    reason, ended = "", False
    for event in data_of(body):
        if event == b"[DONE]":
            ended = True
            continue
        found: Json = json.loads(bounded_json(event).decode("utf-8", "replace"))
        if found.get("error"):
            return found
        whole |= {name: found[name] for name in ("model", "usage") if found.get(name)}
        choices: list[Json] = found.get("choices") or []
        for choice in choices:
            said.add(choice.get("delta") or choice.get("message") or {})
            reason = choice.get("finish_reason") or reason
    if not (ended or reason):
        raise ValueError("the stream breaks off")
    return whole | {"choices": [{"message": said.message, "finish_reason": reason}]}


def data_of(body: bytes) -> Iterator[bytes]:
    """The data of every event; skips comments and other fields."""
    start = 0
    while start < len(body):
        end = body.find(b"\n", start)
        end = len(body) if end < 0 else end
        if body.startswith(b"data:", start):
            yield body[start + 5 : end].strip()
        start = end + 1


class _Said:
    """The texts of a stream, by field of its deltas."""

    def __init__(self) -> None:
        self._texts: dict[str, list[str]] = {name: [] for name in _NAMES}
        self._calls: list[_Call] = []
        self._details: list[Any] = []
        """OpenRouter's thoughts with signatures: it takes the pieces back as they came."""
        self._latest: dict[Any, _Call] = {}
        """Calls by index. Some endpoints send none, or the same for all."""
        self._chars = 0

    def add(self, delta: Json) -> None:
        """Adds a delta's texts; a list of content parts has thoughts and answer in one field."""
        for name in _NAMES:
            piece = delta.get(name)
            if isinstance(piece, list):
                for part in cast("list[Any]", piece):
                    thinks = isinstance(part, dict) and cast("Json", part).get("type") == "thinking"
                    self._keep("reasoning_content" if thinks else name, words(part))
            elif piece:
                self._keep(name, words(piece))
        if details := cast("list[Any]", delta.get("reasoning_details") or []):
            self._count(len(json.dumps(details)))
            self._details += details
        pieces: list[Json] = delta.get("tool_calls") or []
        for piece in pieces:
            call = self._latest.get(piece.get("index"))
            if call is None or call.id != (piece.get("id") or call.id):
                call = self._latest[piece.get("index")] = _Call()
                self._calls.append(call)
            self._count(call.add(piece))

    def _keep(self, name: str, text: str) -> None:
        if text:
            self._count(len(text))
            self._texts[name].append(text)

    def _count(self, chars: int) -> None:
        self._chars += chars
        if self._chars > MAX_ANSWER_CHARS:
            raise ValueError(f"an answer of more than {MAX_ANSWER_CHARS} characters")

    @property
    def message(self) -> Json:
        """The message that an endpoint without streaming would send."""
        said: Json = {name: "".join(texts) for name, texts in self._texts.items() if texts}
        said |= {"reasoning_details": self._details} if self._details else {}
        return said | ({"tool_calls": [call.whole for call in self._calls]} if self._calls else {})


class _Call:
    """A call of a function in pieces: id and name come once, arguments bit by bit, or as an object."""

    def __init__(self) -> None:
        self.id = self._name = ""
        self._extra: Json = {}
        self._arguments: list[str] = []

    def add(self, piece: Json) -> int:
        """Adds a piece; returns its number of characters."""
        function: Json = piece.get("function") or {}
        self.id, self._name = self.id or piece.get("id") or "", self._name or function.get("name") or ""
        self._extra = self._extra or piece.get("extra_content") or {}
        given = function.get("arguments")
        text = given if isinstance(given, str) else json.dumps(given) if given else ""
        self._arguments.append(text)
        return len(text)

    @property
    def whole(self) -> Json:
        """The call as an endpoint without streaming would send it."""
        call: Json = {"id": self.id, "function": {"name": self._name, "arguments": "".join(self._arguments)}}
        return call | ({"extra_content": self._extra} if self._extra else {})


def words(part: Any) -> str:
    """The text of a content part or a thought, of a list of them, or the text itself."""
    if isinstance(part, list):
        return "".join(map(words, cast("list[Any]", part)))
    if isinstance(part, dict):
        found = cast("Json", part)
        return words(found.get("thinking") if found.get("type") == "thinking" else found.get("text"))
    return part if isinstance(part, str) else ""
