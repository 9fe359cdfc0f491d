"""Task logs without secrets: what the code of a task logs and raises, in whatever form a secret stands in it.

Airflow's own masker knows the secrets of Connections in clear only, and works in the process above the task. So texts
are cleaned here, before they leave the task.
"""

import sys
from collections.abc import MutableMapping
from typing import TYPE_CHECKING, Any

import structlog

from gem_tasks.redaction import log_line
from gem_tasks.redaction.outlets import guard_logs, scrub

if TYPE_CHECKING:
    from collections.abc import MutableSequence


def guard() -> None:
    """From now on, for this process; doing it again changes nothing."""
    guard_logs()
    # In place: loggers that have been used hold on to the list.
    processors: MutableSequence[Any] = structlog.get_config()["processors"]
    if clean_event not in processors:
        processors.insert(0, clean_event)


def clean_event(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """One event, with the exception that is at hand."""
    del logger, method
    for name, value in event.items():
        if isinstance(value, str):
            event[name] = log_line(value)
        elif isinstance(value, BaseException):
            scrub(value)
    if event.get("exc_info") and (error := sys.exception()):
        scrub(error)
    return event
