"""Patterns and replacements of `tokenizer.json`: none that takes exponential time, none that makes much of little."""

from collections.abc import Iterator
from typing import Any, cast

from gem_tasks.distill.inspection.configuration import leaves
from gem_tasks.distill.inspection.refused import RefusedError
from gem_tasks.distill.inspection.repetition import dangerous

_MOST_GROWTH = 64
_MOST_PADDING = 1 << 20


def check(data: object) -> None:
    """Checks a `tokenizer.json`.

    Raises:
        RefusedError: a part of it could use up time or memory.
    """
    if not isinstance(data, dict):
        raise RefusedError("tokenizer.json is not that of a tokenizer")
    parts = {key: each for key, each in cast("dict[str, Any]", data).items() if key not in ("model", "added_tokens")}
    for path, value in leaves(parts):
        why = dangerous(value) if path[-1] == "Regex" and isinstance(value, str) else ""
        if why:
            raise RefusedError(f"a pattern in tokenizer.json {why}")
        if path[0] == "padding" and isinstance(value, int) and value > _MOST_PADDING:
            raise RefusedError(f"tokenizer.json pads to {value} tokens")
    if _growth(parts) > _MOST_GROWTH:
        raise RefusedError("replacements in tokenizer.json multiply the length of a text")


def _growth(parts: object) -> float:
    """How many times as long all replacements could make a text."""
    growth = 1.0
    for each in _objects(parts):
        content = each.get("content")
        if "pattern" in each and isinstance(content, str):
            pattern: Any = each["pattern"]
            replaced = pattern.get("String") if isinstance(pattern, dict) else None  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]
            growth *= max(1.0, len(content) / max(1, len(replaced) if isinstance(replaced, str) else 1))
    return growth


def _objects(data: object) -> Iterator[dict[str, Any]]:
    waiting = [data]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            yield cast("dict[str, Any]", value)
            waiting += cast("dict[str, Any]", value).values()
        elif isinstance(value, list):
            waiting += cast("list[Any]", value)
