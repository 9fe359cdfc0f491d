"""Misbehaviour on demand, seeded by the request's content, so that retries, gates and checks meet something.

Asked for in the query of the URL or, in the same form, in the header `X-Gem-Faults`; the server's `--faults` gives the
default. docs/offline-teacher.md lists the options. The same request meets the same fate at the same attempt; a retry
draws again. Owns the dice; `spoil` bends the words of an answer, `delivery` what happens on the line.
"""

import asyncio
import math
import random
from collections import Counter
from collections.abc import Mapping
from hashlib import sha256
from typing import Literal
from urllib.parse import parse_qsl

from gem_tasks.prompts import sections
from offline_teacher.server import spoil
from offline_teacher.server.protocol import Messages, Refused, Said

HEADER = "X-Gem-Faults"
OPTIONS = frozenset(
    """seed latency_s latency_sigma rate_429 rate_429_bare retry_after_s rate_5xx rate_500 rate_502 rate_503
    rate_reset rate_hang rate_drip drip_s rate_truncated rate_malformed rate_empty rate_refused rate_language
    rate_hallucinated rate_suffixed rate_broken_world rate_request_failed rate_expired rate_invalid_file rate_queue_full
    batch_delay_s""".split()
)
Silence = Literal["reset", "hang"]
_MAX_LATENCY_S = 600.0
_STATUSES = (500, 502, 503)
_seen: Counter[str] = Counter()
"""Attempts per request in this process: a retry draws again, or it could never succeed."""


class Faults:
    """The fate of one request."""

    def __init__(self, options: Mapping[str, float], key: str, *, corrects: bool = False) -> None:
        self._options = options
        self._corrects = corrects
        self._random = random.Random(key)  # noqa: S311 - reproducible, not secret

    @classmethod
    def asked(
        cls, query: Mapping[str, str], header: str, messages: Messages, default: Mapping[str, str] | None = None
    ) -> "Faults":
        """The fate of a request with these options; see `options`."""
        return cls.of(options(query, header, default or {}), messages)

    @classmethod
    def of(cls, options: Mapping[str, float], messages: Messages) -> "Faults":
        """The fate of a request at this attempt."""
        if not options:
            return cls({}, "")
        digest = sha256(repr((options.get("seed"), messages)).encode("utf-8", "replace")).hexdigest()
        _seen[digest] += 1
        return cls(options, f"{digest}-{_seen[digest]}", corrects=_asks_to_revise(messages))

    async def before(self) -> Silence | None:
        """Waits, and perhaps says that nothing is to be answered.

        Raises:
            Refused: an error takes the answer's place.
        """
        if self.hits("rate_429"):
            wait = {"Retry-After": f"{self._options['retry_after_s']:g}"} if "retry_after_s" in self._options else {}
            raise Refused(429, "Rate limit reached", "rate_limit_exceeded", wait)
        if self.hits("rate_429_bare"):
            raise Refused(429, "Rate limit reached", "rate_limit_exceeded")
        if self.hits("rate_hang"):
            return "hang"
        if latency := self._latency_s():
            await asyncio.sleep(latency)
        if self.hits("rate_reset"):
            return "reset"
        hit = next((status for status in _STATUSES if self.hits(f"rate_{status}")), None)
        if hit or self.hits("rate_5xx"):
            raise Refused(hit or self._random.choice(_STATUSES), "The server had an error", "server_error")
        return None

    def after(self, text: str, limit: int) -> Said:
        """The answer, perhaps spoilt; longer than `limit` characters is cut."""
        if self.hits("rate_refused"):
            return Said(None, refusal="I'm sorry, but I can't help with that.")
        if self.hits("rate_empty"):
            return Said("")
        if self.hits("rate_hallucinated"):
            text = spoil.hallucinated(text, self._random)
        if not self._corrects and "<toolsets>" in text and self.hits("rate_suffixed"):
            text = spoil.suffixed(text, self._random)
        if "<code>" in text and self.hits("rate_broken_world"):
            text = spoil.broken_world(text, self._random)
        if self.hits("rate_language"):
            text = spoil.in_cyrillic(text)
        if self.hits("rate_malformed"):
            text = spoil.malformed(text)
        if self.hits("rate_truncated"):
            limit = min(limit, len(text) // 2)
        return Said(text) if len(text) <= limit else Said(text[:limit], "length")

    def drip_s(self) -> float:
        """Seconds over which the answer drips; 0 for at once."""
        return min(self._options.get("drip_s", 20.0), _MAX_LATENCY_S) if self.hits("rate_drip") else 0.0

    def batch_delay_s(self) -> float:
        """Seconds before a batch's first request is answered."""
        return self._options.get("batch_delay_s", 0.0)

    def _latency_s(self) -> float:
        """Log-normal around the median; exactly the median without a sigma."""
        median, sigma = self._options.get("latency_s", 0.0), self._options.get("latency_sigma", 0.0)
        return min(median * self._random.lognormvariate(0, sigma) if sigma > 0 else median, _MAX_LATENCY_S)

    def hits(self, name: str) -> bool:
        """Draws whether this fault is due."""
        return name in self._options and self._random.random() < self._options[name]


def options(query: Mapping[str, str], header: str, default: Mapping[str, str]) -> dict[str, float]:
    """What was asked for; the header wins over the query, that over the default. What is no number is left out."""
    texts = {**default, **query, **dict(parse_qsl(header))}
    return {name: value for name, text in texts.items() if (value := _number(text)) is not None}


def standing(text: str) -> dict[str, str]:
    """Reads what `--faults` was given.

    Raises:
        ValueError: it names something unknown, or a value is no number.
    """
    found = dict(parse_qsl(text, keep_blank_values=True))
    for name, value in found.items():
        if name not in OPTIONS:
            raise ValueError(f"{name} is none of {', '.join(sorted(OPTIONS))}")
        if _number(value) is None:
            raise ValueError(f"{name}={value} is not a number")
    return found


def _asks_to_revise(messages: Messages) -> bool:
    """Whether a refused conversation is to be corrected: only such a request lists findings of its own."""
    return any("findings" in sections(content) for role, content in messages if role == "user")


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
