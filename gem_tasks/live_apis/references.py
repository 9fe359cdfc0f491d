"""Local references of a description, and its schemas in the dialect of JSON Schema 2020-12.

A schema keeps its references, to its `$defs`: inlining them has no end if they form a cycle, and grows without
bound if they do not. Nothing outside the document is ever read.
"""

import re
from collections.abc import Iterator
from typing import Any, cast
from urllib.parse import unquote

from gem_tasks.domain.base import Json

_MAX_HOPS = 50
_MAX_EVALUATIONS = 2_000
"""Maximum schemas that apply to one value at the same time; each multiplies the time for checking it."""
_IN_PLACE = ("allOf", "anyOf", "oneOf", "not", "if", "then", "else")
_DROPPED = frozenset((
    "$id", "$schema", "$anchor", "$dynamicAnchor", "$dynamicRef", "$defs", "definitions", "nullable", "example",
    "examples", "xml", "discriminator", "externalDocs", "deprecated", "collectionFormat",
))  # fmt: skip
_LITERAL = frozenset(("enum", "const", "default"))
_NAMED = frozenset(("properties", "patternProperties", "dependentSchemas"))
_TYPES = frozenset(("string", "number", "integer", "boolean", "object", "array", "null"))


class RefError(ValueError):
    """A `$ref` that GEM does not follow."""


class References:
    """The references of one document. Converts each schema that is referred to once."""

    def __init__(self, spec: Json) -> None:
        self._spec = spec
        self._converted: dict[str, Json] = {}
        self._names: dict[str, str] = {}

    def resolved(self, node: Any) -> Json:
        """The object that a node is or refers to.

        Raises:
            RefError: it refers to another document, nothing, itself, or something that is no object.
        """
        for _ in range(_MAX_HOPS):
            if not isinstance(node, dict):
                raise RefError("an object was expected")
            row = cast("Json", node)
            if not isinstance(row.get("$ref"), str):
                return row
            node = self._target(row["$ref"])
        raise RefError(f"{node!r:.100} refers to itself")

    def schema(self, node: Any) -> Json:
        """A schema converted, with its references as `#/$defs/…`."""
        found = self._convert(node)
        return cast("Json", found) if isinstance(found, dict) else {}

    def shallow(self, schema: Json) -> Json:
        """A converted schema without a reference at its top; deeper ones stay."""
        for _ in range(_MAX_HOPS):
            reference = schema.get("$ref")
            if not isinstance(reference, str):
                return schema
            schema = {**self._definition(reference), **{key: schema[key] for key in schema if key != "$ref"}}
        raise RefError("a schema refers to itself")

    def definitions(self, schema: Json) -> Json:
        """The `$defs` that a converted schema needs.

        Raises:
            RefError: schemas apply to the same value without end, or too many times.
        """
        needed: dict[str, Json] = {}
        waiting = list(_references(schema))
        while waiting:
            reference = waiting.pop()
            name = reference.removeprefix("#/$defs/")
            if name not in needed:
                needed[name] = self._definition(reference)
                waiting += _references(needed[name])
        costs: dict[str, int] = {}
        if max((_evaluations(each, needed, costs, ()) for each in (schema, *needed.values())), default=0) > (
            _MAX_EVALUATIONS
        ):
            raise RefError("too many references")
        return dict(needed)

    def _definition(self, reference: str) -> Json:
        pointer = self._names[reference.removeprefix("#/$defs/")]
        if pointer not in self._converted:
            self._converted[pointer] = self.schema(self._target(pointer))
        return self._converted[pointer]

    def _target(self, reference: str) -> Any:
        if not reference.startswith("#/"):
            raise RefError(f"{reference[:200]!r} refers to another document, which is not fetched")
        node: Any = self._spec
        for part in reference[2:].split("/"):
            step = unquote(part).replace("~1", "/").replace("~0", "~")
            try:
                node = node[int(step) if isinstance(node, list) else step]
            except (KeyError, IndexError, ValueError, TypeError):
                raise RefError(f"{reference[:200]!r} refers to nothing") from None
        return node

    def _convert(self, node: Any) -> Any:
        if isinstance(node, bool):
            return {} if node else {"not": {}}
        if not isinstance(node, dict):
            return {}
        row = cast("Json", node)
        found = {key: self._part(key, value) for key, value in row.items() if key not in _DROPPED and key[:2] != "x-"}
        _bounds(found, row)
        _types(found, row)
        _required(found)
        return found

    def _part(self, key: str, value: Any) -> Any:
        if key in _LITERAL:
            return value
        if key == "$ref" and isinstance(value, str):
            return self._reference(value)
        if key in _NAMED and isinstance(value, dict):
            return {str(name): self._convert(part) for name, part in cast("Json", value).items()}
        if isinstance(value, list) and key in ("allOf", "anyOf", "oneOf", "prefixItems"):
            return [self._convert(part) for part in cast("list[Any]", value)]
        if key in ("items", "additionalProperties", "not", "if", "then", "else", "contains", "propertyNames"):
            return value if isinstance(value, bool) else self._convert(value)
        return cast("Any", value)

    def _reference(self, reference: str) -> str:
        self._target(reference)
        name = re.sub(r"[^A-Za-z0-9._-]", "_", reference[2:])
        while self._names.setdefault(name, reference) != reference:
            name += "_"
        return f"#/$defs/{name}"


def _required(found: Json) -> None:
    """Requests do not have read-only properties; draft 3 has `required` as a flag."""
    if "required" not in found:
        return
    if not isinstance(found["required"], list):
        del found["required"]
        return
    properties: dict[str, Json] = found.get("properties") or {}
    names = dict.fromkeys(str(name) for name in cast("list[Any]", found["required"]))
    found["required"] = [name for name in names if properties.get(name, {}).get("readOnly") is not True]


def _bounds(found: Json, row: Json) -> None:
    """OpenAPI 3.0 has `exclusiveMinimum` as a flag of `minimum`."""
    for flag, limit in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if isinstance(row.get(flag), bool):
            del found[flag]
            if row[flag] and limit in found:
                found[flag] = found.pop(limit)


def _types(found: Json, row: Json) -> None:
    """Unknown types, such as `file` or `any`, allow anything; OpenAPI 3.0 has `nullable` instead of a type."""
    types = row.get("type")
    known = [each for each in (cast("list[Any]", types) if isinstance(types, list) else [types]) if each in _TYPES]
    if "type" in found and not known:
        del found["type"]
    if row.get("nullable") is True and known:
        found["type"] = [*known, "null"]
        if isinstance(found.get("enum"), list) and None not in found["enum"]:
            found["enum"] = [*found["enum"], None]


def _references(node: Any) -> Iterator[str]:
    """All references inside a converted schema."""
    if isinstance(node, list):
        for part in cast("list[Any]", node):
            yield from _references(part)
    elif isinstance(node, dict):
        for key, value in cast("Json", node).items():
            if key == "$ref" and isinstance(value, str):
                yield value
            elif key in _NAMED and isinstance(value, dict):
                yield from _references(list(cast("Json", value).values()))
            elif key not in _LITERAL:
                yield from _references(value)


def _evaluations(schema: Any, definitions: dict[str, Json], costs: dict[str, int], inside: tuple[str, ...]) -> int:
    """How many schemas apply to the same value as this one."""
    if not isinstance(schema, dict):
        return 1
    row, total = cast("Json", schema), 1
    for key in _IN_PLACE:
        parts: list[Any] = row[key] if isinstance(row.get(key), list) else [row[key]] if key in row else []
        total += sum(_evaluations(part, definitions, costs, inside) for part in parts)
    if isinstance(row.get("$ref"), str):
        name = row["$ref"].removeprefix("#/$defs/")
        if name in inside:
            raise RefError(f"the schema {name!r} refers to itself")
        if name not in costs:
            costs[name] = _evaluations(definitions[name], definitions, costs, (*inside, name))
        total += costs[name]
    return total
