"""Puts a streamed chat completion together, once it has arrived: server-sent events in, the usual object out."""

import json
from typing import Any, cast

from gem_tasks.domain.base import Json

EVENTS = (b"data:", b"event:", b":", b"id:", b"retry:")
"""How a line of a stream begins."""


def collect(text: str) -> Json:
    """The chat completion in a stream.

    Raises:
        ValueError: it breaks off, or is none.
        KeyError, TypeError, IndexError, AttributeError: its events are none of a chat completion.
    """
    whole: Json = {"choices": []}
    parts: dict[str, list[Any]] = {"content": [], "reasoning_content": [], "reasoning": [], "refusal": []}
    reason, ended = "", False
    for event in data_of(text):
        if event == "[DONE]":
            ended = True
            continue
        found: Json = json.loads(event)
        if found.get("error"):
            return found
        whole |= {name: found[name] for name in ("model", "usage") if found.get(name)}
        choices: list[Json] = found.get("choices") or []
        for choice in choices:
            delta: Json = choice.get("delta") or choice.get("message") or {}
            for name, said in parts.items():
                if delta.get(name):
                    said.append(delta[name])
            reason = choice.get("finish_reason") or reason
    if not (ended or reason):
        raise ValueError("the stream breaks off")
    message = {name: _joined(said) for name, said in parts.items() if said}
    return whole | {"choices": [{"message": message, "finish_reason": reason}]}


def data_of(text: str) -> list[str]:
    """The data of every event; comments and other fields are passed over."""
    return [line[5:].strip() for line in text.split("\n") if line.startswith("data:")]


def _joined(said: list[Any]) -> Any:
    """Text as text; a list of content parts if any piece is one."""
    if all(isinstance(each, str) for each in said):
        return "".join(said)
    return [part for each in said for part in (cast("list[Any]", each) if isinstance(each, list) else [_part(each)])]


def _part(text: Any) -> Json:
    return {"type": "text", "text": text}
