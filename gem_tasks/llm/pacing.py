"""Rate limits that an endpoint announces in its headers, so that nobody has to run into them.

OpenAI's form, which others copy: `x-ratelimit-{limit,remaining,reset}-{requests,tokens}`, the reset as `6m0s` or `20ms`
(platform.openai.com/docs/guides/rate-limits).
"""

import re
from collections.abc import Mapping

_PERIOD_S = 60.0
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def wait_s(headers: Mapping[str, str], tokens: int) -> float:
    """Seconds to send nothing, so that a request of `tokens` tokens is within what the headers leave."""
    if "x-ratelimit-remaining-requests" not in headers and "x-ratelimit-remaining-tokens" not in headers:
        return 0.0
    return max(_wait_s(headers, "requests", 1), _wait_s(headers, "tokens", tokens))


def _wait_s(headers: Mapping[str, str], kind: str, needed: int) -> float:
    remaining = _whole(headers.get(f"x-ratelimit-remaining-{kind}", ""))
    if remaining is None or remaining >= needed:
        return 0.0
    reset = _seconds(headers.get(f"x-ratelimit-reset-{kind}", ""))
    if limit := _whole(headers.get(f"x-ratelimit-limit-{kind}", "")):
        # The bucket fills all the time; its reset says when it is full, which is later than enough.
        return min(reset, (min(needed, limit) - remaining) * _PERIOD_S / limit)
    return reset


def _whole(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() else None


def _seconds(text: str) -> float:
    found = _PART.findall(text)
    if not found:
        return float(text) if re.fullmatch(r"\d+(\.\d+)?", text) else 0.0
    return sum(float(number) * _UNITS[unit] for number, unit in found)
