"""Politeness: time between the requests to a site, and waiting when the site asks for it."""

import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from threading import Lock

_PATIENCE_S = 120.0
"""Seconds without a page that a run gives one site; after that the site is left alone until the next run."""
_FIRST_WAIT_S = 2.0


class TiredError(Exception):
    """The site is left alone until the next run."""


class Pace:
    """Times of requests to one site; threads share it.

    Attributes:
        delay_s: seconds between the beginnings of two requests.
    """

    def __init__(
        self,
        delay_s: float,
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.delay_s = delay_s
        self._sleep, self._now = sleep, now
        self._lock, self._next = Lock(), 0.0
        self._waited, self._reason = 0.0, ""

    def turn(self) -> None:
        """Waits until the next request may begin.

        Raises:
            TiredError: the site has asked for more patience than GEM has.
        """
        with self._lock:
            if self._reason:
                raise TiredError(self._reason)
            at = max(self._next, self._now())
            self._next = at + self.delay_s
        if (left := at - self._now()) > 0:
            self._sleep(left)

    def answered(self) -> None:
        """Notes that the site answers: its faults are those of pages."""
        with self._lock:
            self._waited = 0.0

    def silent(self, spent_s: float, why: str) -> None:
        """Notes a request without an answer.

        Raises:
            TiredError: the site has used up GEM's patience.
        """
        with self._lock:
            self._spend(spent_s, why)

    def busy(self, attempt: int, retry_after: str | None, why: str) -> None:
        """Notes that the site asks for time; all its requests wait.

        Args:
            attempt: number of this request's failures, from 1.
            retry_after: the answer's header.
            why: what happened, for the pages that are not fetched.

        Raises:
            TiredError: the site has used up GEM's patience.
        """
        wait = _seconds(retry_after)
        wait = _FIRST_WAIT_S * 2 ** (attempt - 1) if wait is None else wait
        with self._lock:
            free = max(self._next, self._now())
            self._spend(self._now() + wait - free, why)
            self._next = max(free, self._now() + wait)

    def _spend(self, seconds: float, why: str) -> None:
        self._waited += max(0.0, seconds)
        if self._waited > _PATIENCE_S:
            self._reason = f"{why}, and GEM waits for a site up to {_PATIENCE_S:g} s"
            raise TiredError(self._reason)


def _seconds(retry_after: str | None) -> float | None:
    if not retry_after:
        return None
    if retry_after.strip().isdecimal():
        return float(retry_after[:9])
    try:
        return max(0.0, parsedate_to_datetime(retry_after).timestamp() - time.time())
    except (ValueError, TypeError, OverflowError):
        return None
