"""Misbehaviour on demand, seeded by the request's content, so that retries, gates and checks meet something.

Asked for in the query of the URL or, in the same form, in the header `X-Gem-Faults`; the server's `--faults` gives the
default. docs/offline-teacher.md lists the options. The same request meets the same fate at the same attempt; a retry
draws again.
"""

import asyncio
import math
import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Literal
from urllib.parse import parse_qsl

from gem_tasks.teacher.spoil import Answer, spoil

HEADER = "X-Gem-Faults"
Silence = Literal["reset", "hang"]
_MAX_LATENCY_S = 600.0
_STATUSES = (500, 502, 503)
_seen: Counter[str] = Counter()
"""Attempts per request in this process: a retry draws again, or it could never succeed."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """An HTTP error in place of an answer."""

    status: int
    message: str
    code: str
    headers: dict[str, str] = field(default_factory=dict[str, str])


class Faults:
    """The fate of one request."""

    def __init__(self, options: Mapping[str, float], key: str) -> None:
        self._options = options
        self._random = random.Random(key)  # noqa: S311 - reproducible, not secret

    @classmethod
    def asked(
        cls, query: Mapping[str, str], header: str, messages: list[tuple[str, str]], default: str = ""
    ) -> "Faults":
        """Reads the options; the header wins over the query, that over the default. What is no number is left out."""
        texts = {**dict(parse_qsl(default)), **query, **dict(parse_qsl(header))}
        options = {name: value for name, text in texts.items() if (value := _number(text)) is not None}
        if not options:
            return cls({}, "")
        digest = sha256(repr((options.get("seed"), messages)).encode("utf-8", "replace")).hexdigest()
        _seen[digest] += 1
        return cls(options, f"{digest}-{_seen[digest]}")

    async def before(self) -> Refusal | Silence | None:
        """Waits, and perhaps does not answer as it should."""
        if self._hits("rate_429"):
            wait = {"Retry-After": f"{self._options['retry_after_s']:g}"} if "retry_after_s" in self._options else {}
            return Refusal(429, "Rate limit reached", "rate_limit_exceeded", wait)
        if self._hits("rate_hang"):
            return "hang"
        if latency := self._latency_s():
            await asyncio.sleep(latency)
        if self._hits("rate_reset"):
            return "reset"
        for status in _STATUSES:
            if self._hits(f"rate_{status}"):
                return Refusal(status, "The server had an error", "server_error")
        if self._hits("rate_5xx"):
            status = self._random.choice(_STATUSES)
            return Refusal(status, "The server had an error", "server_error")
        return None

    def after(self, text: str, limit: int) -> Answer:
        """The answer, perhaps spoilt; longer than `limit` characters is cut."""
        return spoil(Answer(text), limit, self._hits, self._random)

    def drip_s(self) -> float:
        """Seconds over which the answer drips; 0 for at once."""
        return min(self._options.get("drip_s", 20.0), _MAX_LATENCY_S) if self._hits("rate_drip") else 0.0

    def _latency_s(self) -> float:
        """Log-normal around the median; exactly the median without a sigma."""
        median, sigma = self._options.get("latency_s", 0.0), self._options.get("latency_sigma", 0.0)
        return min(median * self._random.lognormvariate(0, sigma) if sigma > 0 else median, _MAX_LATENCY_S)

    def _hits(self, name: str) -> bool:
        return name in self._options and self._random.random() < self._options[name]


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
