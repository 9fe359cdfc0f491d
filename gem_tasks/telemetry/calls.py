"""One call of a model as a trace or a metric may show it: numbers, names and classes, never text."""

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple
from urllib.parse import urlsplit

from gem_tasks.domain.chat import FaultCounts, Usage

_recorded: ContextVar[list["Call"] | None] = ContextVar("recorded", default=None)


class Call(NamedTuple):
    """One call, with all the requests that it took."""

    stage: str
    """The stage, or the simulated user."""
    endpoint: str
    """Host and port."""
    model: str
    began_ns: int
    """Nanoseconds since 1970; this and the next include waiting for a turn, and pauses between requests."""
    ended_ns: int
    faults: FaultCounts
    """Requests without an answer, by class."""
    error: str = ""
    """Class of the error that ended it; empty if an answer came."""
    usage: Usage = Usage()
    latency_s: float = 0.0
    """Seconds of the request that was answered."""
    usd: float | None = None

    @property
    def requests(self) -> dict[str, int]:
        """Number of HTTP requests by result: `ok`, or the class of the fault."""
        counts = {str(kind): count for kind, count in self.faults.items()}
        return counts if self.error else counts | {"ok": 1}


def place_of(url: str) -> str:
    """Host and port of an endpoint, which name it in metrics; `invalid` for a URL without them."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return "invalid"
    shown = f"[{host}]" if host and ":" in host else host
    return f"{shown}:{port}" if shown and port else shown or "invalid"


@contextmanager
def recording() -> Generator[list[Call]]:
    """Collects the calls that are made inside, for a metrics system that is told at the end."""
    calls: list[Call] = []
    token = _recorded.set(calls)
    try:
        yield calls
    finally:
        _recorded.reset(token)


def record(call: Call) -> None:
    """Notes a call inside `recording`."""
    if (calls := _recorded.get()) is not None:
        calls.append(call)
