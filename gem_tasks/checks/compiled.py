"""JSON Schemas as closures: a fast yes, so that the exact validator is asked only where something is wrong.

Compiling takes the subset that tool definitions use (draft 2020-12: types, bounds, enum, const, pattern, format,
properties, items, combinators) and gives up on anything else, or on anything badly formed, by returning None. So a
compiled schema is also a valid one, which saves the meta-schema check: that is most of the time otherwise. Equality
and number semantics are JSON's: `1.0` is an integer, `true` is not `1`. A property test holds it against `jsonschema`.
"""

import json
import math
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, cast

from jsonschema import Draft202012Validator

from gem_tasks.domain.base import Json

Test = Callable[[Any], bool]

_MAX_DEPTH = 32
_PLAIN = {"title", "description", "$comment"}
_ANNOTATIONS = {"default", "examples"}
_FORMATS = Draft202012Validator.FORMAT_CHECKER


class _Unsupported(Exception):
    """Something that the subset does not have."""


@lru_cache(maxsize=8192)
def compiled(schema: str) -> Test | None:
    """The test for a schema given as JSON text; None when it is outside the subset or no valid schema."""
    try:
        return _compile(json.loads(schema), 0)
    except (_Unsupported, ValueError, RecursionError):
        return None


def _compile(schema: Any, depth: int) -> Test:
    if schema is True:
        return lambda _: True
    if not isinstance(schema, dict) or depth > _MAX_DEPTH:
        raise _Unsupported
    tests: list[Test] = []
    for keyword, value in cast(Json, schema).items():
        if keyword in _PLAIN:
            _expect(isinstance(value, str))
        elif keyword in _ANNOTATIONS:
            _expect(keyword == "default" or isinstance(value, list))
        elif keyword in _SIMPLE:
            tests.append(_SIMPLE[keyword](value))
        elif keyword in _NESTED:
            tests.append(_NESTED[keyword](value, cast(Json, schema), depth + 1))
        else:
            raise _Unsupported
    return tests[0] if len(tests) == 1 else _all(tuple(tests))


def _all(tests: tuple[Test, ...]) -> Test:
    return lambda value: all(test(value) for test in tests)


def _expect(holds: bool) -> None:
    if not holds:
        raise _Unsupported


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_TYPES: dict[str, Test] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
    "number": _is_number,
    "integer": lambda value: _is_number(value) and (isinstance(value, int) or value.is_integer()),
}


def _type(value: Any) -> Test:
    names = cast("list[Any]", value) if isinstance(value, list) else [value]
    _expect(bool(names) and all(isinstance(name, str) and name in _TYPES for name in names))
    _expect(len({str(name) for name in names}) == len(names))
    tests = tuple(_TYPES[name] for name in names)
    return tests[0] if len(tests) == 1 else lambda given: any(test(given) for test in tests)


def same(one: Any, other: Any) -> bool:
    """JSON equality: booleans are no numbers, at any depth."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, list) and isinstance(other, list):
        left, right = cast("list[Any]", one), cast("list[Any]", other)
        return len(left) == len(right) and all(same(a, b) for a, b in zip(left, right, strict=True))
    if isinstance(one, dict) and isinstance(other, dict):
        mine, yours = cast(Json, one), cast(Json, other)
        return mine.keys() == yours.keys() and all(same(part, yours[key]) for key, part in mine.items())
    return bool(one == other)


def _enum(value: Any) -> Test:
    _expect(isinstance(value, list))
    allowed = cast("list[Any]", value)
    return lambda given: any(same(given, option) for option in allowed)


def _bound(holds: Callable[[float, float], bool]) -> Callable[[Any], Test]:
    def build(limit: Any) -> Test:
        _expect(_is_number(limit) and math.isfinite(limit))
        return lambda given: not _is_number(given) or holds(given, limit)

    return build


def _length(given: Any) -> int:
    return len(given)


def _size(kind: type[Any], holds: Callable[[int, int], bool]) -> Callable[[Any], Test]:
    def build(limit: Any) -> Test:
        _expect(isinstance(limit, int) and not isinstance(limit, bool) and limit >= 0)
        return lambda given: not isinstance(given, kind) or holds(_length(given), limit)

    return build


def _pattern(value: Any) -> Test:
    _expect(isinstance(value, str))
    try:
        search = re.compile(value).search
    except (re.error, OverflowError):
        raise _Unsupported from None
    return lambda given: not isinstance(given, str) or search(given) is not None


def _format(value: Any) -> Test:
    _expect(isinstance(value, str))
    return lambda given: _FORMATS.conforms(given, value)


def _properties(value: Any, schema: Json, depth: int) -> Test:
    del schema
    _expect(isinstance(value, dict))
    tests = {name: _compile(part, depth) for name, part in cast(Json, value).items()}

    def test(given: Any) -> bool:
        if not isinstance(given, dict):
            return True
        parts = cast(Json, given)
        return all(tests[name](part) for name, part in parts.items() if name in tests)

    return test


def _additional(value: Any, schema: Json, depth: int) -> Test:
    declared = schema.get("properties", {})
    _expect(isinstance(declared, dict))
    known = frozenset(cast(Json, declared))
    inner = None if value is False else _compile(value, depth)

    def test(given: Any) -> bool:
        if not isinstance(given, dict):
            return True
        rest = [part for name, part in cast(Json, given).items() if name not in known]
        return not rest if inner is None else all(inner(part) for part in rest)

    return test


def _required(value: Any) -> Test:
    _expect(isinstance(value, list) and all(isinstance(name, str) for name in cast("list[Any]", value)))
    names = cast("list[str]", value)
    _expect(len(set(names)) == len(names))
    return lambda given: not isinstance(given, dict) or all(name in given for name in names)


def _items(value: Any, schema: Json, depth: int) -> Test:
    del schema
    inner = _compile(value, depth)
    return lambda given: not isinstance(given, list) or all(inner(part) for part in cast("list[Any]", given))


def _any_of(value: Any, schema: Json, depth: int) -> Test:
    del schema
    _expect(isinstance(value, list))
    parts = cast("list[Any]", value)
    _expect(bool(parts))
    tests = [_compile(part, depth) for part in parts]
    return lambda given: any(test(given) for test in tests)


_SIMPLE: dict[str, Callable[[Any], Test]] = {
    "type": _type,
    "enum": _enum,
    "const": lambda value: lambda given: same(given, value),
    "minimum": _bound(lambda given, limit: given >= limit),
    "maximum": _bound(lambda given, limit: given <= limit),
    "exclusiveMinimum": _bound(lambda given, limit: given > limit),
    "exclusiveMaximum": _bound(lambda given, limit: given < limit),
    "minLength": _size(str, lambda size, limit: size >= limit),
    "maxLength": _size(str, lambda size, limit: size <= limit),
    "minItems": _size(list, lambda size, limit: size >= limit),
    "maxItems": _size(list, lambda size, limit: size <= limit),
    "pattern": _pattern,
    "format": _format,
    "required": _required,
}
_NESTED: dict[str, Callable[[Any, Json, int], Test]] = {
    "properties": _properties,
    "additionalProperties": _additional,
    "items": _items,
    "anyOf": _any_of,
}
