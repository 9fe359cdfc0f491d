"""Single values in a call's arguments, and what else they could be."""

import re
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any, NamedTuple, cast

from gem_tasks.domain.base import Json
from gem_tasks.worlds.goals.canonical import Tables
from gem_tasks.worlds.steps import Call

Path = tuple[str | int, ...]
_DATE = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(.*)", re.DOTALL)
_CLOCK = re.compile(r"([0-2]?[0-9]):([0-5][0-9])")
_FEW = 2
"""Other values of an enumeration or a table that are tried."""


class Leaf(NamedTuple):
    """A value that is no object and no list."""

    path: Path
    value: Any
    schema: Json
    """Of this value; empty if the tool's schema does not say."""


def leaves(arguments: Any, schema: Json, path: Path = ()) -> Iterator[Leaf]:
    """All values, in order."""
    if isinstance(arguments, dict):
        fields: Json = schema.get("properties", {})
        for name, value in cast("Json", arguments).items():
            yield from leaves(value, fields.get(name) or {}, (*path, name))
    elif isinstance(arguments, list):
        for at, value in enumerate(cast("list[Any]", arguments)):
            yield from leaves(value, schema.get("items") or {}, (*path, at))
    else:
        yield Leaf(path, arguments, schema)


def changed(call: Call, path: Path, value: Any) -> Call:
    """The call with another value at that place."""
    return Call(name=call.name, arguments=_put(call.arguments, path, value))


def _put(data: Any, path: Path, value: Any) -> Any:
    if not path:
        return value
    copy: Any = dict(cast("Json", data)) if isinstance(data, dict) else list(cast("list[Any]", data))
    copy[path[0]] = _put(copy[path[0]], path[1:], value)
    return copy


def other_records(value: Any, tables: Tables) -> list[str]:
    """Keys of other records of the same table, those that look most like it first; none if it is no key."""
    named = isinstance(value, str)
    table = next((records for records in tables.values() if named and value in records), None) or {}
    own = _shape(table.get(value))
    alike = sorted((key for key in table if key != value), key=lambda key: (-len(own & _shape(table[key])), key))
    return alike[:_FEW]


def _shape(record: Any) -> set[str]:
    return {f"{name}={each!r}" for name, each in cast("Json", record).items()} if isinstance(record, dict) else set()


def other_values(leaf: Leaf) -> list[Any]:
    """Other values that the schema allows, for what is chosen rather than worded."""
    value, schema = leaf.value, leaf.schema
    if "enum" in schema:
        return [each for each in schema["enum"] if each != value and each is not None][:_FEW]
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int | float):
        low, high = schema.get("minimum", float("-inf")), schema.get("maximum", float("inf"))
        step = schema.get("multipleOf", 1)
        return [each for each in (value + step, value - step) if low <= each <= high]
    return _other_moments(value) if isinstance(value, str) else []


def _other_moments(text: str) -> list[Any]:
    if match := _DATE.fullmatch(text):
        try:
            return [f"{date.fromisoformat(match[1]) + timedelta(days=1)}{match[2]}"]
        except (ValueError, OverflowError):
            return []
    if match := _CLOCK.fullmatch(text):
        return [f"{(int(match[1]) + 1) % 24:0{len(match[1])}}:{match[2]}"]
    return []


def composed(leaf: Leaf) -> bool:
    """Whether it may be words that the assistant puts together."""
    formed = {"enum", "const", "format", "pattern"} & leaf.schema.keys()
    return isinstance(leaf.value, str) and len(leaf.value.split()) >= 4 and not formed
