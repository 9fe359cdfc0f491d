"""Writes a conversation in the Chat Completions format as text for people."""

from collections.abc import Iterator, Sequence

from gem_tasks.domain.base import Json


def transcript(messages: Sequence[Json]) -> str:
    """One paragraph per message, with its role in front."""
    return "\n\n".join(f"[{message['role']}] " + "\n".join(_lines(message)) for message in messages)


def _lines(message: Json) -> Iterator[str]:
    if thought := message.get("reasoning_content"):
        yield f"(thinks: {thought})"
    if message["content"]:
        yield message["content"]
    for call in message.get("tool_calls", []):
        yield f"→ {call['function']['name']} {call['function']['arguments']}"
