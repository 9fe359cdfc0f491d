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

    def _keep(self, name: str, text: str) -> None:
        if not text:
            return
        self._chars += len(text)
        if self._chars > MAX_ANSWER_CHARS:
            raise ValueError(f"an answer of more than {MAX_ANSWER_CHARS} characters")
        self._texts[name].append(text)

    @property
    def message(self) -> Json:
        """The message that an endpoint without streaming would send."""
        return {name: "".join(texts) for name, texts in self._texts.items() if texts}


def words(part: Any) -> str:
    """The text of a content part or a thought, of a list of them, or the text itself."""
    if isinstance(part, list):
        return "".join(map(words, cast("list[Any]", part)))
    if isinstance(part, dict):
        found = cast("Json", part)
        return words(found.get("thinking") if found.get("type") == "thinking" else found.get("text"))
    return part if isinstance(part, str) else ""
