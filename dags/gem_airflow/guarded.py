"""Removes secrets, in any encoding, from what a task logs and raises.

Airflow's own masker knows the secrets of Connections only in plain text, and works in the task's parent process. So GEM
cleans texts here, before they leave the task.
"""

import sys
from collections.abc import MutableMapping
from typing import TYPE_CHECKING, Any, cast

import structlog

from gem_tasks.domain.base import Json
from gem_tasks.redaction import log_line
from gem_tasks.redaction.outlets import guard_logs, safe

if TYPE_CHECKING:
    from collections.abc import MutableSequence


def guard() -> None:
    """Redacts all later logs of this process. Idempotent."""
    guard_logs()
    # In place: loggers that were used before keep a reference to this list.
    processors: MutableSequence[Any] = structlog.get_config()["processors"]
    if clean_event not in processors:
        processors.insert(0, clean_event)


def clean_event(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A structlog processor: redacts an event, including its exception."""
    del logger, method
    given = event.pop("exc_info", None)
    for name, value in event.items():
        event[name] = _cleaned(value)
    if given:
        error = given[1] if isinstance(given, tuple) else given
        error = error if isinstance(error, BaseException) else sys.exception()
        event["exc_info"] = safe(error) if error else given
    return event


_DEEPEST = 8


def _cleaned(value: Any, depth: int = 0) -> Any:
    """Redacts a logged value: text, collections, bytes, and other objects by their `repr`."""
    match value:
        case str():
            return log_line(value)
        case BaseException():
            return _shown(safe(value), repr(value))
        case dict() if depth < _DEEPEST:
            return {_cleaned(name): _cleaned(each, depth + 1) for name, each in cast("Json", value).items()}
        case list() | tuple() if depth < _DEEPEST:
            return [_cleaned(each, depth + 1) for each in cast("list[Any]", value)]
        case bool() | int() | float() | None:
            return value
        case _:
            return _shown(value, value.decode("utf-8", "replace") if isinstance(value, bytes) else repr(value))


def _shown(value: Any, text: str) -> Any:
    """The value itself, or its redacted text if that text holds a secret."""
    return value if log_line(text) == text else log_line(text)
