"""A conversation in the shape of the Chat Completions API as text that people read."""

from collections.abc import Iterator, Sequence

from gem_tasks.domain.base import Json


def transcript(messages: Sequence[Json]) -> str:
    """One paragraph a message, its role in front."""
    return "\n\n".join(f"[{message['role']}] " + "\n".join(_lines(message)) for message in messages)


def _lines(message: Json) -> Iterator[str]:
    if message["content"]:
        yield message["content"]
    for call in message.get("tool_calls", []):
        yield f"→ {call['function']['name']} {call['function']['arguments']}"
