"""Time limits of requests, so that a hung one is retried instead of idling a worker for minutes.

At first the limit is the time that its token budget takes at a slow model's pace. Once nearly all started requests have
ended, it is three times the time that 99 % of the answers took, also for requests in flight. "Nearly all" matters: the
first answers to arrive are the short ones, and using only those would abandon, and pay for again, every long one. An
abandoned request may still have been a very long answer, so each timeout doubles the limit of the next attempt, up to
the bound.
"""

import asyncio
import math
from collections import deque
from types import TracebackType

_FIRST_TOKEN_S = 30.0
_SLOW_TOKENS_PER_S = 25.0
_SAMPLES = 500
_ENOUGH = 50
_PER_RUNNING = 3
"""Answers needed for each request in flight."""
_EVERY = 25
_FEW = 32
_NEWS = 0.1
"""A smaller relative change is not worth moving every deadline."""
_MARGIN = 3.0
_SHORTEST_S = 2.0
_SWEEP_S = 0.05
"""Seconds between checks for overdue requests."""


class Deadlines:
    """Learns from the answers of one stage.

    Args:
        longest_s: upper bound for every request, regardless of its budget.
        first_token_s: time for queueing and reading the prompt, until answers tell; None: 30 seconds.
    """

    def __init__(self, longest_s: float, first_token_s: float | None = None) -> None:
        self._longest_s = longest_s
        self._first_token_s = _FIRST_TOKEN_S if first_token_s is None else first_token_s
        self._latencies: deque[float] = deque(maxlen=_SAMPLES)
        self._answers = 0
        self._usual_s: float | None = None
        self.running: set[Watch] = set()
        self._next = math.inf
        self._timer: asyncio.TimerHandle | None = None

    def watch(self, max_tokens: int, timeouts: int) -> "Watch":
        """A deadline for a request of `max_tokens` tokens that has timed out `timeouts` times.

        Leaving it raises TimeoutError if the time was up.
        """
        return Watch(self, max_tokens, timeouts)

    def limit_s(self, max_tokens: int, timeouts: int) -> float:
        """Seconds allowed for such a request, as currently known."""
        bound = min(self._longest_s, (self._first_token_s + max_tokens / _SLOW_TOKENS_PER_S) * 2**timeouts)
        if self._usual_s is None:
            return bound
        return min(bound, max(_SHORTEST_S, self._usual_s * _MARGIN) * 2**timeouts)

    def took(self, latency_s: float) -> None:
        """Notes how long an answer took."""
        self._latencies.append(latency_s)
        self._answers += 1
        running = len(self.running)
        if self._answers < max(_ENOUGH, _PER_RUNNING * running) or (self._answers % _EVERY and running > _FEW):
            return
        ordered = sorted(self._latencies)
        usual_s = ordered[int(len(ordered) * 0.99)]
        if self._usual_s and abs(usual_s / self._usual_s - 1) < _NEWS:
            return
        self._usual_s = usual_s
        if self.running:
            self._sweep()

    def start(self, watch: "Watch") -> None:
        """Notes that a request is in flight."""
        self.running.add(watch)
        self._look_at(watch.due)

    def _look_at(self, due: float) -> None:
        """Arms one timer for all requests: most end long before, and a timer each costs as much as parsing."""
        if due < self._next:
            if self._timer:
                self._timer.cancel()
            self._next, self._timer = due, asyncio.get_running_loop().call_at(due, self._sweep)

    def _sweep(self) -> None:
        """Abandons overdue requests, and schedules the next check."""
        if self._timer:
            self._timer.cancel()
        self._next, self._timer = math.inf, None
        now = asyncio.get_running_loop().time()
        overdue = [watch for watch in self.running if watch.due <= now]
        for watch in overdue:
            self.running.discard(watch)
            watch.give_up()
        if self.running:
            self._look_at(max(now + _SWEEP_S, min(watch.due for watch in self.running)))


class Watch:
    """One request's deadline, which may move while it is in flight. An async context manager."""

    def __init__(self, deadlines: Deadlines, max_tokens: int, timeouts: int) -> None:
        self._deadlines, self._asked = deadlines, (max_tokens, timeouts)
        self._started = asyncio.get_running_loop().time()
        self._timeout = asyncio.timeout(None)

    @property
    def due(self) -> float:
        """When the request is abandoned, in the loop's time, as currently known."""
        return self._started + self._deadlines.limit_s(*self._asked)

    async def __aenter__(self) -> None:
        """Starts the clock."""
        await self._timeout.__aenter__()
        self._deadlines.start(self)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stops the clock.

        Raises:
            TimeoutError: the time was up.
        """
        self._deadlines.running.discard(self)
        await self._timeout.__aexit__(kind, error, trace)

    def give_up(self) -> None:
        """Abandons the request."""
        self._timeout.reschedule(0)
