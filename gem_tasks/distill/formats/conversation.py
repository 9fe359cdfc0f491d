"""The input of every format: a conversation of the Chat Completions API with its metadata."""

import json
from collections.abc import Callable
from typing import NamedTuple

from gem_tasks.checks.reading.case import failed, parsed
from gem_tasks.domain.base import Json


class Conversation(NamedTuple):
    """A row before it has a framework's format."""

    messages: list[Json]
    """Arguments of calls are JSON strings; `reasoning_content` is the thought of an assistant's message."""
    tools: list[Json]
    about: Json = {}  # noqa: RUF012 - never written to
    """The trajectory's metadata, such as `trajectory_id`; only the formats of trajectories need it."""


Convert = Callable[[Conversation], Json | list[Json] | None]
"""A conversation to a row, or to several, or None for what the format cannot represent."""


def calls(message: Json) -> list[Json]:
    """The calls of a message."""
    return message.get("tool_calls") or []


def called(call: Json) -> Json:
    """`{"name", "arguments"}` of a call, with its arguments as an object."""
    return {"name": call["function"]["name"], "arguments": json.loads(call["function"]["arguments"])}


def thinking(message: Json) -> str:
    """The thought of a message as the families of Qwen3, DeepSeek and GLM write it before words; empty if none."""
    thought = message.get("reasoning_content")
    return f"<think>\n{thought}\n</think>\n\n" if thought else ""


def without_thought(message: Json) -> Json:
    """The message without its thought."""
    return {name: value for name, value in message.items() if name != "reasoning_content"}


def whole(message: Json) -> Json:
    """The message with a text as content, because half of the templates in use print None."""
    return {**message, "content": message.get("content") or ""}


def reports_error(message: Json) -> bool:
    """Whether this is a tool's result, and an error.

    A trajectory whose tools fail on purpose teaches recovery; a trainer may weight or leave out these turns.
    """
    content = message.get("content") or ""
    return message["role"] == "tool" and failed(parsed(content), content)


def dump(data: object) -> str:
    """JSON that keeps the letters of all languages."""
    return json.dumps(data, ensure_ascii=False)
