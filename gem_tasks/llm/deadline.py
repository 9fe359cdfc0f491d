"""How long a request may take, so that a hung one is asked again instead of idling a worker for minutes.

At first what its token budget allows at a slow model's pace. Once nearly all that was started has ended, three times
what 99 % of the answers took; this holds for requests under way too. "Nearly all" matters: the first answers to arrive
are the short ones, and going by them would give up, and pay for again, every long one. An abandoned request may have
been a very long answer all the same: each timeout doubles what the next try gets, up to the bound.
"""

import asyncio
from collections import deque
from types import TracebackType

_FIRST_TOKEN_S = 30.0
"""Queueing and reading the prompt."""
_SLOW_TOKENS_PER_S = 25.0
_SAMPLES = 500
_ENOUGH = 50
_PER_RUNNING = 3
"""So many answers must have come for each request under way."""
_EVERY = 25
_FEW = 32
_NEWS = 0.1
"""A smaller change is not worth moving every deadline."""
_MARGIN = 3.0
_SHORTEST_S = 2.0


class Deadlines:
    """Learns from the answers of one stage.

    Args:
        longest_s: no request may take longer, whatever its budget.
    """

    def __init__(self, longest_s: float) -> None:
        self._longest_s = longest_s
        self._latencies: deque[float] = deque(maxlen=_SAMPLES)
        self._answers = 0
        self._usual_s: float | None = None
        self.running: set[Watch] = set()

    def watch(self, max_tokens: int, timeouts: int) -> "Watch":
        """For a request of so many tokens that was given up so many times before.

        Leaving it raises TimeoutError when the time was up.
        """
        return Watch(self, max_tokens, timeouts)

    def limit_s(self, max_tokens: int, timeouts: int) -> float:
        """Seconds that such a request may take, as far as is known now."""
        bound = min(self._longest_s, _FIRST_TOKEN_S + max_tokens / _SLOW_TOKENS_PER_S)
        if self._usual_s is None:
            return bound
        return min(bound, max(_SHORTEST_S, self._usual_s * _MARGIN) * 2**timeouts)

    def took(self, latency_s: float) -> None:
        """An answer came after so long."""
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
        for watch in self.running:
            watch.tighten()


class Watch:
    """One request's deadline, which may move while it runs. An async context manager."""

    def __init__(self, deadlines: Deadlines, max_tokens: int, timeouts: int) -> None:
        self._deadlines, self._asked = deadlines, (max_tokens, timeouts)
        self._started = asyncio.get_running_loop().time()
        self._timeout = asyncio.timeout_at(self._started + deadlines.limit_s(max_tokens, timeouts))

    async def __aenter__(self) -> None:
        """From here."""
        await self._timeout.__aenter__()
        self._deadlines.running.add(self)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """To here.

        Raises:
            TimeoutError: the time was up.
        """
        self._deadlines.running.discard(self)
        await self._timeout.__aexit__(kind, error, trace)

    def tighten(self) -> None:
        """Goes by what is known now."""
        if not self._timeout.expired():
            self._timeout.reschedule(self._started + self._deadlines.limit_s(*self._asked))
