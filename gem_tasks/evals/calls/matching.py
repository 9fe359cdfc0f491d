"""Whether calls are the same: exactly, or in what their schema makes of the arguments. Pure.

Exactly: the same functions with the same JSON, in any order, for calls of one turn run in parallel. In meaning:

| schema                                | equal                                                                     |
|---------------------------------------|---------------------------------------------------------------------------|
| `default` of an optional property     | the default, and its absence                                              |
| numbers                               | `2`, `2.0` and `2e0`                                                      |
| `enum` of texts                       | another case of exactly one of them                                       |
| `format` date, time, date-time        | `2026-01-05` and `2026/1/5`; `Z` and `+00:00`; seconds that are 0         |
| text without `format` and `pattern`   | the same for texts that are nothing but such a date or time               |
| `uniqueItems`                         | any order                                                                 |
| all texts                             | the same characters, composed or not (Unicode's NFC)                      |

A text for a number, null for absence, and other words of the same sense differ.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, date, datetime, time
from typing import Any, NamedTuple, cast
from unicodedata import normalize

from gem_tasks.checks.reading.arguments import resolved
from gem_tasks.domain.base import Json
from gem_tasks.domain.workflow import ToolSpec

_DEEPEST = 60
_DATE = re.compile(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})", re.ASCII)
_TIME = re.compile(r"(\d{1,2}):(\d\d)(?::(\d\d))?", re.ASCII)
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d\S{0,20}", re.ASCII)
_DATES = ("date", "time", "date-time")


class Called(NamedTuple):
    """A call to compare."""

    name: str
    arguments: Json | None
    """None if they cannot be read."""


def same_functions(one: Iterable[Called], other: Iterable[Called]) -> bool:
    """Whether the same functions are called, each as often."""
    return Counter(call.name for call in one) == Counter(call.name for call in other)


def same_exactly(one: Iterable[Called], other: Iterable[Called]) -> bool:
    """Whether functions and the JSON of arguments are the same."""
    return Counter(map(_exact, one)) == Counter(map(_exact, other))


def same_in_meaning(one: Iterable[Called], other: Iterable[Called], tools: Iterable[ToolSpec]) -> bool:
    """Whether functions and arguments are the same, as the table says."""
    by_name = {tool.name: tool for tool in tools}
    return Counter(_meant(call, by_name) for call in one) == Counter(_meant(call, by_name) for call in other)


def _exact(call: Called) -> str:
    return f"{call.name} {_dump(call.arguments)}"


def _meant(call: Called, tools: dict[str, ToolSpec]) -> str:
    tool = tools.get(call.name)
    if tool is None or call.arguments is None:
        return _exact(call)
    return f"{call.name} {_dump(meaning(call.arguments, tool.parameters))}"


def meaning(value: Any, schema: Json) -> Any:
    """The one form of all values with the same meaning."""
    return _meaning(value, schema, schema, 0)


def _meaning(value: Any, node: Json, root: Json, depth: int) -> Any:
    if depth > _DEEPEST:
        return value
    node = resolved(node, root)
    if isinstance(value, dict):
        return _of_object(cast(Json, value), node, root, depth + 1)
    if isinstance(value, list):
        items = [_meaning(each, _part(node.get("items")), root, depth + 1) for each in cast("list[Any]", value)]
        return sorted(items, key=_dump) if node.get("uniqueItems") is True else items
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return _of_text(value, node) if isinstance(value, str) else value


def _of_object(value: Json, node: Json, root: Json, depth: int) -> Json:
    known, rest = _part(node.get("properties")), _part(node.get("additionalProperties"))
    listed = node.get("required")
    required = cast("list[Any]", listed) if isinstance(listed, list) else []
    found: Json = {}
    for name, part in value.items():
        own = resolved(_part(known.get(name)) or rest, root)
        meant = _meaning(part, own, root, depth)
        default = _meaning(own["default"], own, root, depth) if "default" in own else ...
        if name in required or default is ... or _dump(meant) != _dump(default):
            found[name] = meant
    return found


def _of_text(value: str, node: Json) -> Any:
    value = normalize("NFC", value)
    options = node.get("enum")
    if isinstance(options, list):
        texts = [each for each in cast("list[Any]", options) if isinstance(each, str)]
        alike = {each for each in texts if normalize("NFC", each).casefold() == value.casefold()}
        return value if value in alike or len(alike) != 1 else alike.pop()
    form = node.get("format")
    if form is None and "pattern" in node:
        return value
    if form is not None and form not in _DATES:
        return value
    return _dated(value, form)


def _dated(value: str, form: str | None) -> str:
    """The ISO form of a text that is a date or time of this format, or of any; otherwise the text."""
    try:
        if form in (None, "date") and (match := _DATE.fullmatch(value)):
            year, month, day = map(int, match.groups())
            return date(year, month, day).isoformat()
        if form in (None, "time") and (match := _TIME.fullmatch(value)):
            hour, minute, second = (int(part or 0) for part in match.groups())
            return time(hour, minute, second).isoformat()
        if form in (None, "date-time") and _MOMENT.fullmatch(value):
            moment = datetime.fromisoformat(value)
            return (moment.astimezone(UTC) if moment.tzinfo else moment).isoformat()
    except (ValueError, OverflowError):
        pass
    return value


def _part(found: Any) -> Json:
    return cast(Json, found) if isinstance(found, dict) else {}


def _dump(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False)
