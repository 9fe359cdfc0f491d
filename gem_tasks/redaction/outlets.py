"""Redacts logs and tracebacks, including those of third-party code, where they leave the process."""

import logging
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

from gem_tasks import redaction
from gem_tasks.visible import visible_lines


def guard_logs() -> None:
    """Redacts every later log record of this process, from any logger and for any handler."""
    before = logging.getLogRecordFactory()
    if getattr(before, "cleans", False):
        return

    def record(*arguments: Any, **named: Any) -> logging.LogRecord:
        made = before(*arguments, **named)
        with suppress(Exception):  # logging itself handles arguments that do not fit
            text = made.getMessage()
            if (shown := visible_lines(redaction.log_line(text))) != text:
                made.msg, made.args = shown, ()
        if made.exc_info and made.exc_info[1] is not None:
            error = safe(made.exc_info[1])
            made.exc_info = (type(error), error, error.__traceback__)
        return made

    record.cleans = True  # pyright: ignore[reportFunctionMemberAccess]
    logging.setLogRecordFactory(record)


def safe(error: BaseException) -> BaseException:
    """The cleaned exception itself; if its text would still show a secret, a replacement.

    Such are those that make their text themselves (of what Pydantic validated, of a file's name), notes, and groups.
    """
    scrub(error)
    if not _leaks(error, traceback.format_exception):
        return error
    try:
        text = redaction.log_line(str(error))
    except Exception:  # noqa: BLE001 - it has none
        text = ""
    notes = [redaction.log_line(note) for note in getattr(error, "__notes__", ()) if isinstance(note, str)]
    members = [f"{type(each).__name__}: {each}" for each in _members(error)]
    text = "\n".join([text, *notes, *map(redaction.log_line, members)])
    kind = type(type(error).__name__, (Exception,), {"__module__": type(error).__module__})
    shown = kind(text).with_traceback(error.__traceback__)
    return shown if not _leaks(shown, traceback.format_exception) else kind(text)


def _members(error: BaseException) -> Iterator[BaseException]:
    """Exceptions of a group, and of groups in it."""
    members: tuple[BaseException, ...] = getattr(error, "exceptions", ())
    for each in members if isinstance(error, BaseExceptionGroup) else ():
        yield each
        yield from _members(each)


def scrub(error: BaseException) -> None:
    """Removes secrets from an exception and from its causes.

    It removes causes from the chain whose text does not come from their arguments, because these cannot be cleaned.
    """
    for each in _chain(error):
        for below in (each, each.__cause__, each.__context__):
            if below is None or not _leaks(below) or _cleaned(below) or below is each:
                continue
            each.__cause__, each.__context__, each.__suppress_context__ = None, None, True


def shown_traceback(error: BaseException) -> str:
    """The traceback, without secrets and with visible escapes."""
    return visible_lines(redaction.log_line("".join(traceback.format_exception(error))))


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen, waiting = set[int](), [error]
    while waiting:
        each = waiting.pop()
        if id(each) not in seen:
            seen.add(id(each))
            yield each
            waiting += [below for below in (each.__cause__, each.__context__) if below is not None]
            waiting += each.exceptions if isinstance(each, BaseExceptionGroup) else ()


def _leaks(error: BaseException, form: Callable[[BaseException], list[str]] = traceback.format_exception_only) -> bool:
    try:
        text = "".join(form(error))
    except Exception:  # noqa: BLE001 - an exception whose text cannot be made shows none
        return False
    return redaction.log_line(text) != text


def _cleaned(error: BaseException) -> bool:
    """Cleans an exception's arguments; returns whether that removed all secrets."""
    with suppress(Exception):
        error.args = tuple(redaction.log_line(part) if isinstance(part, str) else part for part in error.args)
    return not _leaks(error)
