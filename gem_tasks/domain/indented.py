"""JSON of others with line breaks, for people and models to read."""

import json
from collections.abc import Callable, Iterable
from typing import Any, cast

_DEEPEST = 32
"""Deeper JSON stays on one line: a megabyte of values inside a thousand brackets has a gigabyte of indents."""


def indented(data: Any, indent: int, default: Callable[[Any], Any] | None = None) -> str:
    """JSON with `indent` blanks a level."""
    return json.dumps(data, ensure_ascii=False, indent=None if _is_deep(data) else indent, default=default)


def _is_deep(data: Any) -> bool:
    level = [data]
    for _ in range(_DEEPEST):
        level = [part for node in level for part in _parts(node)]
        if not level:
            return False
    return True


def _parts(node: Any) -> Iterable[Any]:
    if isinstance(node, dict):
        return cast("dict[str, Any]", node).values()
    return cast("list[Any]", node) if isinstance(node, list | tuple) else ()
