"""Limits the requests in flight: grows while the endpoint copes, halves when it complains. One per endpoint.

It starts low and doubles forty times a second while the limit is used up, because the first completions may be a minute
away while refusals come at once. If more than one request in eight of a round is answered 429, 503 or not in time, the
limit is halved, once per round (a round is as many answers as may be in flight). That, or the ceiling, ends the
doubling; from then on a limit that is used up grows by a tenth per round, unless answers have become twice as slow as
they were at best. A lone 429 among hundreds of answers is noise: its own request waits, and the others keep their
speed.
"""

import asyncio
import time
from collections import deque
from types import TracebackType
from typing import NamedTuple

_START = 64
_RAMP_S = 0.025
_GROWTH = 0.1
_BEARABLE_SHARE = 1 / 8
_SLOWER = 2.0
"""Growth stops when answers take this many times their best latency."""
_FORGET = 1.02
"""The best latency rises at this rate per round, so that a lucky minute does not bind for ever."""


class Health(NamedTuple):
    """How an endpoint copes, as far as the limiter knows."""

    in_flight: int
    limit: int
    """Most requests in flight that it now allows."""
    ceiling: int
    waiting: int
    """Calls that wait for the right to send."""
    halved: int
    """How often the limit was halved."""
    paused_s: float
    """Seconds until the end of a pause that the endpoint asked for."""


class Limiter:
    """Grants the right to send, first come first served. An async context manager per request.

    Args:
        ceiling: most requests in flight.
    """

    def __init__(self, ceiling: int) -> None:
        self.ceiling = ceiling
        self.limit = float(min(_START, ceiling))
        self.in_flight = 0
        self.complaints = 0
        """How often the limit was halved."""
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._resume_at = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._ramping = self.limit < ceiling
        self._round = _Round()
        self._best_s = float("inf")
        self._bearable = True

    async def __aenter__(self) -> None:
        """Waits for the right to send."""
        if self.in_flight < int(self.limit) and not self._waiting and time.monotonic() >= self._resume_at:
            self._grant()
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        self._arm()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._release()  # granted and cancelled at the same moment
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Returns the right to send."""
        self._release()

    def answered(self, latency_s: float) -> None:
        """Notes a completion."""
        self._round.answers += 1
        self._round.latency_s += latency_s
        if not self._ramping and self._bearable and self._waiting:
            self.limit = min(self.ceiling, self.limit + 1 / self.limit + _GROWTH)
        self._close_round()

    def complained(self, retry_after_s: float | None) -> None:
        """Notes a 429, a 503 or a timeout, with the pause that the endpoint asked for."""
        self._round.complaints += 1
        # Refusals come at once and answers much later, so their share is computed of the requests sent.
        if self._round.complaints > max(1.0, max(self.limit, self._round.sent) * _BEARABLE_SHARE):
            self.complaints += 1
            self._ramping = False
            self.limit = max(1.0, self.limit / 2)
            self._round = _Round()
            if retry_after_s:
                self.pause(retry_after_s)

    def pause(self, seconds: float) -> None:
        """Sends nothing for this time."""
        self._resume_at = max(self._resume_at, time.monotonic() + seconds)

    @property
    def health(self) -> Health:
        """The state now."""
        return Health(
            in_flight=self.in_flight,
            limit=int(self.limit),
            ceiling=self.ceiling,
            waiting=sum(not turn.done() for turn in self._waiting),
            halved=self.complaints,
            paused_s=max(0.0, self._resume_at - time.monotonic()),
        )

    def _close_round(self) -> None:
        if self._round.answers < max(self.limit, 8):
            return
        mean = self._round.latency_s / self._round.answers
        self._best_s = min(self._best_s * _FORGET, mean)
        self._bearable = mean <= self._best_s * _SLOWER
        self._round = _Round()

    def _grant(self) -> None:
        self.in_flight += 1
        self._round.sent += 1

    def _release(self) -> None:
        self.in_flight -= 1
        self._wake()

    def _wake(self) -> None:
        while self._waiting and self.in_flight < int(self.limit) and time.monotonic() >= self._resume_at:
            turn = self._waiting.popleft()
            if not turn.done():
                self._grant()
                turn.set_result(None)
        self._arm()

    def _arm(self) -> None:
        """Schedules a check for waiting requests: after a pause, or for the next doubling."""
        if self._timer or not self._waiting:
            return
        pause = self._resume_at - time.monotonic()
        if pause > 0 or self._ramping:
            self._timer = asyncio.get_running_loop().call_later(max(pause, _RAMP_S), self._tick)

    def _tick(self) -> None:
        self._timer = None
        if self._ramping:
            self.limit = min(self.ceiling, self.limit * 2)
            self._ramping = self.limit < self.ceiling
        self._wake()


class _Round:
    """Replies since the limit was last adjusted."""

    __slots__ = ("answers", "complaints", "latency_s", "sent")

    def __init__(self) -> None:
        self.answers = 0
        self.complaints = 0
        self.latency_s = 0.0
        self.sent = 0
