"""A call as an HTTP request: where each argument goes, and how it is written there."""

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple, cast
from urllib.parse import quote, unquote, urlencode

from gem_tasks.domain.base import Json
from gem_tasks.live_apis.operation import Operation, Slot, Style

_PLACEHOLDER = re.compile(r"\{([^{}]+)\}")
_JOINED: dict[Style, str] = {"comma": ",", "space": " ", "tab": "\t", "pipe": "|"}
_MAX_DEPTH = 64

Pairs = list[tuple[str, str]]


class Request(NamedTuple):
    """An HTTP request below the base URL."""

    path: str
    query: Pairs
    content: bytes | None
    headers: dict[str, str]


def request_of(operation: Operation, arguments: Json) -> Request | None:
    """The request for a call; None if an argument could lead to another path."""
    by_place: dict[str, list[tuple[Slot, Any]]] = {}
    for name, value in arguments.items():
        slot = operation.slots[name]
        by_place.setdefault(slot.place, []).append((slot, value))
    path = filled(operation.path, {slot.name: _one(value, slot.style) for slot, value in by_place.get("path", ())})
    if path is None:
        return None
    headers = {name: value for name, value in operation.headers.items() if value is not None}
    content, kind = _content(operation, by_place)
    return Request(path, _pairs(by_place.get("query", [])), content, {**headers, **kind})


def filled(template: str, values: Json) -> str | None:
    """The path with its placeholders filled; None if a value could lead to another path."""
    parts: dict[str, str] = {}
    for name in _PLACEHOLDER.findall(template):
        value = values.get(name)
        if isinstance(value, bool) or not isinstance(value, str | int | float) or str(value) == "":
            return None
        parts[name] = quote(str(value), safe="")
    path = _PLACEHOLDER.sub(lambda match: parts[match[1]], template)
    return path if path.startswith("/") and not _climbs(path) else None


def _one(value: Any, style: Style) -> Any:
    """A list in a path as one value; a path has no form that repeats the name."""
    if not isinstance(value, list):
        return value
    return _JOINED.get(style, ",").join(text_of(part) for part in cast("list[Any]", value))


def _climbs(path: str) -> bool:
    """Whether a server that decodes the path before it resolves it could leave it."""
    return bool({".", ".."} & set(re.split(r"[/\\]", unquote(path))))


def _content(operation: Operation, by_place: dict[str, list[tuple[Slot, Any]]]) -> tuple[bytes | None, dict[str, str]]:
    if form := by_place.get("form"):
        return urlencode(_pairs(form)).encode(), {"Content-Type": "application/x-www-form-urlencoded"}
    if whole := by_place.get("whole_body"):
        return json.dumps(whole[0][1]).encode(), {"Content-Type": "application/json"}
    body = {slot.name: value for slot, value in by_place.get("body", ())}
    if body or "body" in operation.places.values():
        return json.dumps(body).encode(), {"Content-Type": "application/json"}
    return None, {}


def _pairs(given: list[tuple[Slot, Any]]) -> Pairs:
    return [pair for slot, value in given for pair in _written(slot.name, value, slot.style)]


def _written(name: str, value: Any, style: Style) -> Iterator[tuple[str, str]]:
    """`name=value` pairs in a style; a form of an object without one is its properties."""
    if value is None:
        return
    if style == "json" or not isinstance(value, dict | list):
        yield name, json.dumps(value) if style == "json" and not isinstance(value, str) else text_of(value)
    elif style == "deep":
        yield from _deep(name, cast("Any", value), 0)
    elif isinstance(value, dict):
        rows = cast("Json", value)
        if style in _JOINED:
            yield name, _JOINED[style].join(text_of(part) for row in rows.items() for part in row)
        else:
            yield from ((key, text_of(part)) for key, part in rows.items())
    else:
        parts = [text_of(part) for part in cast("list[Any]", value)]
        yield from [(name, _JOINED[style].join(parts))] if style in _JOINED else ((name, part) for part in parts)


def _deep(name: str, value: Any, level: int) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict | list) and level < _MAX_DEPTH:
        rows = cast("Json", value).items() if isinstance(value, dict) else enumerate(cast("list[Any]", value))
        for key, part in rows:
            yield from _deep(f"{name}[{key}]", part, level + 1)
    elif value is not None:
        yield name, text_of(value)


def text_of(value: Any) -> str:
    """A value as it stands in a query or form."""
    return value if isinstance(value, str) else json.dumps(value)
