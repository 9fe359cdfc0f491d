"""Arguments with one value beyond a limit of the schema."""

import copy
from collections.abc import Iterator
from typing import Any, NamedTuple, TypeGuard, cast

from gem_tasks.domain.base import Json
from gem_tasks.worlds.arguments import ArgumentCheck

_NO_OPTION = "no-such-option"
_UNMATCHED = ("!", "", "~ ~", "0", "a", "A1 b2", "§")


class Beyond(NamedTuple):
    """Arguments, and the limit that one of them breaks."""

    arguments: Json
    path: str
    limit: str
    """The keyword and its value."""


def beyond(schema: Json, arguments: Json) -> Iterator[Beyond]:
    """Every limit of every argument broken once; all other arguments are those given."""
    for name, each in cast("dict[str, Any]", schema.get("properties") or {}).items():
        if isinstance(each, dict):
            yield from _of(cast("Json", each), arguments.get(name), (name,), arguments)


def _of(schema: Json, value: Any, path: tuple[str | int, ...], arguments: Json) -> Iterator[Beyond]:
    for keyword, broken in _broken(schema, value):
        changed = _with(arguments, path, broken)
        yield Beyond(changed, ".".join(map(str, path)), f"{keyword} {schema[keyword]}")
    inner = cast("dict[str, Any]", schema.get("properties") or {})
    if isinstance(value, dict):
        for name, each in inner.items():
            if isinstance(each, dict):
                yield from _of(cast("Json", each), cast("Json", value).get(name), (*path, name), arguments)
    items = schema.get("items")
    if isinstance(value, list) and value and isinstance(items, dict):
        yield from _of(cast("Json", items), value[0], (*path, 0), arguments)


def _broken(schema: Json, value: Any) -> Iterator[tuple[str, Any]]:
    """Keywords of limits, each with a value that breaks it."""
    if "enum" in schema and _types(schema) & {"string", ""}:
        yield "enum", _NO_OPTION
    step = schema.get("multipleOf", 1) if "integer" not in _types(schema) else 1
    for keyword, change in (("minimum", -1), ("maximum", 1), ("exclusiveMinimum", 0), ("exclusiveMaximum", 0)):
        if _number(schema.get(keyword)):
            yield keyword, schema[keyword] + change * max(1, step)
    if _number(schema.get("multipleOf")) and _number(value) and "integer" not in _types(schema):
        yield "multipleOf", value + schema["multipleOf"] / 2
    yield from _long(schema, value)
    if "pattern" in schema:
        yield from (("pattern", each) for each in _unmatched(schema["pattern"]))
    yield from _many(schema, value)


def _unmatched(pattern: Any) -> list[str]:
    """A text that the pattern does not match, if one is known."""
    check = ArgumentCheck({"properties": {"text": {"pattern": pattern}}})
    return [each for each in _UNMATCHED if check.violation({"text": each})][:1]


def _long(schema: Json, value: Any) -> Iterator[tuple[str, Any]]:
    text = value if isinstance(value, str) and value else "a"
    if (least := schema.get("minLength", 0)) > 0:
        yield "minLength", text[: least - 1]
    if _number(most := schema.get("maxLength")) and most < 5000:
        yield "maxLength", (text * (int(most) // len(text) + 1))[: int(most) + 1].replace(" ", "a")


def _many(schema: Json, value: Any) -> Iterator[tuple[str, Any]]:
    items: list[Any] = cast("list[Any]", value) if isinstance(value, list) else []
    if (least := schema.get("minItems", 0)) > 0 and len(items) >= least - 1:
        yield "minItems", items[: least - 1]
    if _number(most := schema.get("maxItems")) and most < 200 and items:
        yield "maxItems", (items * (int(most) + 1))[: int(most) + 1]
    if schema.get("uniqueItems") is True and items:
        yield "uniqueItems", [*items, items[0]]


def _types(schema: Json) -> set[str]:
    found: Any = schema.get("type", "")
    return set(cast("list[str]", found)) if isinstance(found, list) else {str(found)}


def _number(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _with(arguments: Json, path: tuple[str | int, ...], value: Any) -> Json:
    """A copy of the arguments with another value at the path, whose parents exist."""
    copied = copy.deepcopy(arguments)
    here: Any = copied
    for part in path[:-1]:
        here = here[part]
    here[path[-1]] = value
    return copied
