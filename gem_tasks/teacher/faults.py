"""Misbehaviour on demand, seeded by the request's content, so that retries, gates and checks meet something.

Asked for in the query of the URL or, in the same form, in the header `X-Gem-Faults`: `latency_s`, `rate_429`,
`retry_after_s`, `rate_5xx`, `rate_malformed`, `rate_truncated` (rates from 0 to 1), `seed`. The same request meets
the same fate at the same attempt.
"""

import asyncio
import math
import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from urllib.parse import parse_qsl

HEADER = "X-Gem-Faults"
_MAX_LATENCY_S = 600.0
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
    def asked(cls, query: Mapping[str, str], header: str, messages: list[tuple[str, str]]) -> "Faults":
        """Reads the options; the header wins, and what is no finite number is left out."""
        texts = {**query, **dict(parse_qsl(header))}
        options = {name: value for name, text in texts.items() if (value := _number(text)) is not None}
        if not options:
            return cls({}, "")
        digest = sha256(repr((options.get("seed"), messages)).encode("utf-8", "replace")).hexdigest()
        _seen[digest] += 1
        return cls(options, f"{digest}-{_seen[digest]}")

    async def before(self) -> Refusal | None:
        """Waits, and perhaps refuses."""
        if latency := min(self._options.get("latency_s", 0), _MAX_LATENCY_S):
            await asyncio.sleep(latency)
        if self._hits("rate_429"):
            wait = {"Retry-After": f"{self._options['retry_after_s']:g}"} if "retry_after_s" in self._options else {}
            return Refusal(429, "Rate limit reached", "rate_limit_exceeded", wait)
        if self._hits("rate_5xx"):
            return Refusal(503, "The server is overloaded", "server_error")
        return None

    def after(self, text: str, limit: int) -> tuple[str, str]:
        """`(text, finish reason)`, perhaps spoilt; longer than `limit` characters is cut."""
        if self._hits("rate_malformed"):
            text = text.replace(">", "]", 3)
        if self._hits("rate_truncated"):
            limit = min(limit, len(text) // 2)
        return (text, "stop") if len(text) <= limit else (text[:limit], "length")

    def _hits(self, name: str) -> bool:
        return name in self._options and self._random.random() < self._options[name]


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
