"""Misbehaviour on demand, by query parameters of the endpoint's URL, seeded by the request's content.

`…/v1?…` is set as GEM_LLM_BASE_URL's query or by tests: `latency_s`, `rate_429`, `retry_after_s`, `rate_5xx`,
`rate_malformed`, `rate_truncated` (rates from 0 to 1), `seed`. The same request meets the same fate per attempt.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256

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
    def from_query(cls, query: Mapping[str, str], messages: list[tuple[str, str]]) -> "Faults":
        """Reads the options; anything that is no number counts as 0."""
        options = {name: float(text) for name, text in query.items() if text.replace(".", "", 1).isdigit()}
        if not options:
            return cls({}, "")
        digest = sha256(repr((options.get("seed"), messages)).encode("utf-8", "replace")).hexdigest()
        _seen[digest] += 1
        return cls(options, f"{digest}-{_seen[digest]}")

    async def before(self) -> Refusal | None:
        """Waits, and perhaps refuses."""
        if latency := self._options.get("latency_s", 0):
            await asyncio.sleep(latency)
        if self._hits("rate_429"):
            wait = {"Retry-After": str(self._options["retry_after_s"])} if "retry_after_s" in self._options else {}
            return Refusal(429, "Rate limit reached", "rate_limit_exceeded", wait)
        if self._hits("rate_5xx"):
            return Refusal(503, "The server is overloaded", "server_error")
        return None

    def after(self, text: str, limit: int) -> tuple[str, str]:
        """`(text, finish reason)`, perhaps spoilt; longer than `limit` characters is cut."""
        if self._hits("rate_malformed"):
            text = text.replace(">", "]", 3)
        if self._hits("rate_truncated"):
            limit = len(text) // 2
        return (text, "stop") if len(text) <= limit else (text[:limit], "length")

    def _hits(self, name: str) -> bool:
        return name in self._options and self._random.random() < self._options[name]
