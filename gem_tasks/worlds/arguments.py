"""Arguments against a tool's schema, before the call.

Some violations the world has to judge itself: a value beyond a limit. The world's own error says what a real system
would say ("host_name has 70 characters, maximum is 63"), so the schema's error must not hide it. Arguments of the wrong
shape never reach the world's code.
"""

from typing import Any, NamedTuple

import jsonschema_rs

from gem_tasks.domain.base import Json
from gem_tasks.worlds.texts import encoded

_SHAPE = frozenset({"type", "required", "additionalProperties", "unevaluatedProperties", "false schema", "$ref"})
_MOST = 300
_UNREADABLE = (ValueError, RecursionError, OverflowError)


class Violation(NamedTuple):
    """What is wrong with arguments."""

    message: str
    of_shape: bool
    """Whether a type is wrong, or an argument is missing or unknown; otherwise a value is beyond a limit."""

    @property
    def answer(self) -> Json:
        """The result of the call."""
        return {"error": {"code": "INVALID_ARGUMENTS", "message": self.message}}


class ArgumentCheck:
    """A compiled schema. It fetches nothing.

    Raises:
        ValueError: the schema is invalid.
    """

    def __init__(self, schema: Json) -> None:
        self._compiled = jsonschema_rs.Draft202012Validator(schema, validate_formats=True, offline=True)

    def read(self, arguments: Any) -> tuple[str, Violation | None]:
        """The arguments as JSON (none if their shape is wrong), and what is wrong with them."""
        if not isinstance(arguments, dict):
            return "", Violation("arguments: not an object", of_shape=True)
        try:
            text = encoded(arguments)
            return text, None if self._compiled.is_valid(arguments) else self._violation(arguments)
        except _UNREADABLE as error:
            return "", Violation(f"arguments: {type(error).__name__}", of_shape=True)

    def violation(self, arguments: Any) -> Violation | None:
        """What is wrong, or None."""
        return self.read(arguments)[1]

    def _violation(self, arguments: Any) -> Violation:
        errors = sorted(self._compiled.iter_errors(arguments), key=str)
        told = "; ".join(f"{'/'.join(map(str, e.instance_path)) or 'arguments'}: {e.message}" for e in errors)
        return Violation(told[:_MOST], of_shape=any(_shapes(error) for error in errors))


def _shapes(error: jsonschema_rs.ValidationError) -> bool:
    return not error.schema_path or str(error.schema_path[-1]) in _SHAPE
