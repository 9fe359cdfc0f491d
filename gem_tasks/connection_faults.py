"""Explains why a connection failed, for the errors of every client."""

import errno
import re
import socket
import ssl
from collections.abc import Iterator

from gem_tasks.redaction import beginning

_WORDS = {
    errno.ECONNREFUSED: "connection refused",
    errno.ECONNRESET: "connection reset",
    errno.ENETUNREACH: "network unreachable",
    errno.EHOSTUNREACH: "host unreachable",
    errno.ETIMEDOUT: "connection timed out",
}


def reason(error: BaseException) -> str:
    """The first cause that the system itself reported, on one line; clients wrap it several times."""
    for each in _causes(error):
        if words := _words(each):
            return f"{words} ({_line(each)})"
    return f"{type(error).__name__}: {_line(error)}".removesuffix(": ")


_DEPTH = 20
_BURIED = (
    (re.compile(r'message: "([^"]+)"'), "{}"),
    (re.compile(r'"dns error"'), "no such host"),
    (re.compile(r"InvalidCertificate\(\s*(\w+)"), "TLS certificate not accepted ({})"),
)


def of_obstore(error: Exception) -> str:
    """Like `reason`, for an error of obstore: the first line states the event, the values below it the cause."""
    first, _, dump = str(error).partition("\n")
    why = next((words.format(*found.groups()) for form, words in _BURIED if (found := form.search(dump))), "")
    return f"{beginning(first, 300)}: {why}" if why else beginning(first, 300)


def _words(error: BaseException) -> str | None:
    match error:
        case ssl.SSLCertVerificationError():
            return "TLS certificate not accepted"
        case ssl.SSLError():
            return "TLS failed"
        case socket.gaierror():
            return "no such host"
        case TimeoutError():
            return "no answer in time"
        case OSError():
            # Errors of several addresses come as one error without a number.
            number = error.errno or next(map(int, re.findall(r"\[Errno (\d+)\]", str(error))), 0)
            return _WORDS.get(number)
        case _:
            return None


def _causes(error: BaseException, depth: int = 0) -> Iterator[BaseException]:
    """The error, what it was raised from, and the members of groups, outermost first."""
    yield error
    members: tuple[BaseException, ...] = getattr(error, "exceptions", ())
    for below in (*members, error.__cause__ or error.__context__):
        if below and depth < _DEPTH:
            yield from _causes(below, depth + 1)


def _line(error: BaseException) -> str:
    return beginning(" ".join(str(error).split()), 300)
