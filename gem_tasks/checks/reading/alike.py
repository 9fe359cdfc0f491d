"""Whether people would read two values as the same."""

import json
import math
from typing import Any

_PLAIN = (str, int, float)
_DATE_CHARS = 10


def is_plain(value: Any) -> bool:
    """Whether it is a scalar or None."""
    return value is None or isinstance(value, _PLAIN)


def same(one: Any, other: Any) -> bool:
    """Equal up to case and spacing; `5`, `5.0` and `"5"` are equal, and so are a date and the instant it begins."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other or plain(one) == plain(other)
    if isinstance(one, int | float) and isinstance(other, int | float):
        return one == other or _close(one, other) or (one != one and other != other)
    left, right = plain(one), plain(other)
    return left == right or _is_date_of(left, right) or _is_date_of(right, left) or _number(left) == _number(right)


def plain(value: Any) -> str:
    """Without case, and with single spaces for all word separators."""
    return " ".join(str(value).casefold().replace("_", " ").replace("-", " ").split())


def show(value: Any) -> str:
    """As JSON, shortened."""
    return json.dumps(value, ensure_ascii=False)[:80]


def _close(one: float, other: float) -> bool:
    try:
        return math.isclose(one, other, rel_tol=1e-6)
    except OverflowError:  # JSON's integers are unbounded
        return False


def _number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def _is_date_of(day: str, instant: str) -> bool:
    return len(day) == _DATE_CHARS and day[:2].isdigit() and instant.startswith(day)
