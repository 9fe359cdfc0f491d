"""How long a request may take, so that a hung one is asked again instead of idling a worker for minutes.

At most what its token budget allows at a slow model's pace, and, as soon as there is something to go by, three times
what nearly all answers took. An abandoned request may have been a long answer rather than a hung one: each timeout
doubles what the next try gets, up to the budget's bound.
"""

from collections import deque

_FIRST_TOKEN_S = 30.0
"""Queueing and reading the prompt."""
_SLOW_TOKENS_PER_S = 25.0
_SAMPLES = 500
_ENOUGH = 50
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
        self._usual_s: float | None = None
        self._since = 0

    def limit_s(self, max_tokens: int, timeouts: int) -> float:
        """Seconds for a request of so many tokens that was given up so many times before."""
        bound = min(self._longest_s, _FIRST_TOKEN_S + max_tokens / _SLOW_TOKENS_PER_S)
        if self._usual_s is None:
            return bound
        return min(bound, max(_SHORTEST_S, self._usual_s * _MARGIN) * 2**timeouts)

    def took(self, latency_s: float) -> None:
        """An answer came after so long."""
        self._latencies.append(latency_s)
        self._since += 1
        if self._since >= _ENOUGH:
            self._since = 0
            ordered = sorted(self._latencies)
            self._usual_s = ordered[int(len(ordered) * 0.99)]
