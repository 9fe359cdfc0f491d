"""JSON Schema, draft 2020-12, compiled once per distinct schema.

Not `jsonschema`: importing it with its format checkers takes a second, and it validates about a hundred times slower.
"""

import json
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple

import jsonschema_rs

_DETAIL = 200
"""Characters of the library's messages to keep: it quotes whole values."""
_UNREADABLE = (ValueError, RecursionError, OverflowError)
"""Exceptions of the library for values that no JSON text can have."""


class SchemaFault(NamedTuple):
    """Where a value violates a schema."""

    keyword: str
    """Keyword of the schema."""
    path: str
    """JSON path in the value."""
    detail: str


class Validator:
    """Validator of one schema. It never fetches anything: a reference to something outside the schema makes it invalid.

    Attributes:
        fault: what is wrong with the schema itself, in one line; empty if nothing is.
    """

    def __init__(self, schema: Any) -> None:
        self._compiled: jsonschema_rs.Draft202012Validator | None = None
        self.fault = ""
        try:
            self._compiled = jsonschema_rs.Draft202012Validator(schema, validate_formats=True, offline=True)
        except jsonschema_rs.ValidationError as error:
            self.fault = f"{error.message[:_DETAIL]} at {path_of(error.instance_path)}"
        except _UNREADABLE as error:
            self.fault = f"it cannot be read: {type(error).__name__}"

    def fits(self, value: Any) -> bool:
        """Whether a value is valid; always False if the schema is not."""
        try:
            return self._compiled is not None and self._compiled.is_valid(value)
        except _UNREADABLE:
            return False

    def faults(self, value: Any) -> Iterator[SchemaFault]:
        """Each fault of a value."""
        if self._compiled is None or self.fits(value):
            return
        try:
            for error in self._compiled.iter_errors(value):
                yield SchemaFault(str(error.schema_path[-1]), path_of(error.instance_path), error.message[:_DETAIL])
        except _UNREADABLE as error:
            yield SchemaFault("type", "$", f"it cannot be read: {type(error).__name__}")


@lru_cache(maxsize=8192)
def validator(schema: str) -> Validator:
    """The validator of a schema given as JSON text.

    Raises:
        ValueError: it is not JSON.
    """
    return Validator(json.loads(schema))


def path_of(steps: list[str | int]) -> str:
    """A JSON path such as `$.a.b[0]`."""
    return "$" + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)
