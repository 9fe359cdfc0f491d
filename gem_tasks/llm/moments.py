"""How long to wait, in every form that endpoints use.

| form                                  | seen at                                  |
|---------------------------------------|------------------------------------------|
| `7`, `0.5` seconds                    | `Retry-After`, `x-ratelimit-reset-*`     |
| `12ms`, `1.5s`, `6m0s`, `2m59.56s`    | OpenAI, Groq                             |
| `Fri, 01 Jan 2027 00:00:00 GMT`       | `Retry-After` (RFC 9110 section 10.2.3)  |
| `2027-01-01T00:00:00Z`                | Anthropic (RFC 3339)                     |
| `1798761600`, `1798761600000`         | epochs in seconds or milliseconds        |
"""

import re
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_PART = re.compile(r"((?<!\d)\d++(?:\.\d++)?)(ms|s|m|h|d)")
_WHOLE = re.compile(rf"(?:{_PART.pattern})+", re.ASCII)
_NUMBER = re.compile(r"\d+(?:\.\d+)?", re.ASCII)
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_EPOCH = 1e9
"""A larger number is a point in time, not a duration."""
_EPOCH_MS = 1e11
_LONGEST = 64
"""Characters; no form has more."""


def seconds_until(text: str) -> float | None:
    """Seconds from now; None if the text is in no known form."""
    text = text.strip()
    if len(text) > _LONGEST:
        return None
    if _NUMBER.fullmatch(text):
        number = float(text)
        if number < _EPOCH:
            return number
        return max(0.0, (number / 1000 if number > _EPOCH_MS else number) - time.time())
    if _WHOLE.fullmatch(text):
        return sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(text))
    for read in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            moment = read(text)
            moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
            return max(0.0, (moment - datetime.now(UTC)).total_seconds())
        except (ValueError, TypeError, OverflowError):  # such as a time zone that does not exist
            continue
    return None
