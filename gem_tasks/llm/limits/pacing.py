"""Obeys rate limits that an endpoint announces in its headers, before requests exceed them.

OpenAI's form, which others copy: `x-ratelimit-{limit,remaining,reset}-{requests,tokens}`
(platform.openai.com/docs/guides/rate-limits); Anthropic's, `anthropic-ratelimit-{requests,tokens}-{limit,…}`; and
OpenRouter's, `x-ratelimit-{limit,remaining,reset}` of requests. `moments` has the forms of a reset.
"""

from collections.abc import Mapping
from typing import NamedTuple

from gem_tasks.llm.moments import seconds_until

_PERIOD_S = 60.0
_DIGITS = 15
"""A number with more digits is not a limit."""


class _Names(NamedTuple):
    remaining: str
    limit: str
    reset: str
    tokens: bool


def _names(form: str, *, tokens: bool) -> _Names:
    return _Names(form.format("remaining"), form.format("limit"), form.format("reset"), tokens)


_FORMS = (
    _names("x-ratelimit-{}-requests", tokens=False),
    _names("x-ratelimit-{}-tokens", tokens=True),
    _names("anthropic-ratelimit-requests-{}", tokens=False),
    _names("anthropic-ratelimit-tokens-{}", tokens=True),
    _names("x-ratelimit-{}", tokens=False),
)


def wait_s(headers: Mapping[str, str], tokens: int) -> float:
    """Seconds to pause, so that a request of `tokens` tokens stays within what the headers allow."""
    longest = 0.0
    for names in _FORMS:
        if names.remaining in headers:
            longest = max(longest, _wait_s(headers, names, tokens if names.tokens else 1))
    return longest


def _wait_s(headers: Mapping[str, str], names: _Names, needed: int) -> float:
    remaining = _whole(headers[names.remaining])
    if remaining is None or remaining >= needed:
        return 0.0
    reset = seconds_until(headers.get(names.reset, "")) or 0.0
    if limit := _whole(headers.get(names.limit, "")):
        # The bucket fills continuously; its reset is when it is full, which is later than needed.
        return min(reset, (min(needed, limit) - remaining) * _PERIOD_S / limit)
    return reset


def _whole(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _DIGITS else None
