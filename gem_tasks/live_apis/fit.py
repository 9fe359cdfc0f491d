"""Whether arguments fit an operation."""

from collections.abc import Iterator
from typing import Any, cast

from gem_tasks.checks.reading.validator import SchemaFault, Validator
from gem_tasks.domain.base import Json
from gem_tasks.live_apis.operation import Operation

_TEXT = ("path", "query", "form")
"""Places where every value is written as text: `7` and `"7"` are the same there."""


class Fit:
    """Validators of one operation."""

    def __init__(self, operation: Operation) -> None:
        self._operation = operation
        self._flat = Validator(operation.parameters)
        self._body = Validator(operation.body) if operation.body else None

    def written(self, arguments: Json) -> Json:
        """The arguments as the server reads them: text where only text is sent becomes the type that it stands for."""
        operation = self._operation
        return {
            name: _read(value, operation.properties.get(name) or {}) if operation.places.get(name) in _TEXT else value
            for name, value in arguments.items()
        }

    def faults(self, arguments: Json) -> Iterator[SchemaFault]:
        """Each violation by `written` arguments; those of the body as a whole only if its parts have none."""
        found = False
        for fault in self._flat.faults(arguments):
            found = True
            yield fault
        body = {
            slot.name: arguments[name]
            for name, slot in self._operation.slots.items()
            if slot.place == "body" and name in arguments
        }
        if self._body and body and not found:
            yield from self._body.faults(body)


def _read(value: Any, schema: Json) -> Any:
    declared: Any = schema.get("type", ())
    types = {declared} if isinstance(declared, str) else set(cast("list[str]", declared))
    if "array" in types and isinstance(value, str | int | float) and not types & {"string", "integer", "number"}:
        items: Any = schema.get("items")
        return [_read(value, cast("Json", items) if isinstance(items, dict) else {})]
    if isinstance(value, str) and types and "string" not in types:
        return _parsed(value, types)
    if isinstance(value, int | float) and not isinstance(value, bool) and types <= {"string", "null"} and types:
        return str(value)
    return value


def _parsed(value: str, types: set[str]) -> Any:
    if "boolean" in types and value in ("true", "false"):
        return value == "true"
    for kind, read in (("integer", int), ("number", float)):
        if kind in types and len(value) < 30:
            try:
                return read(value)
            except ValueError:
                continue
    return value
