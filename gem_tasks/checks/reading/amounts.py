"""Amounts in prose that must have an origin, and whether plain arithmetic yields them.

Small numbers, dates and times carry too little information to be traced.
"""

import re

from gem_tasks.checks.reading.numbers import Quantities, converted
from gem_tasks.patterns import IgnoringCase

DATE = IgnoringCase(
    r"\d{4}-\d{2}-\d{2}|\d{1,2}+(?:"
    r"(?:st|nd|rd|th|\.)?\s++(?:of\s++)?(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?(?:,?\s++\d{4})?"
    r"|[.:]\d{2}\s*+(?:uhr|h\b|[ap]\.?m)|:\d{2})"
)
"""Dates and times, whose digits are no amounts."""
_YEARS = range(1900, 2101)
_LEAST = 100
"""From this value on, or with decimals, a number is an amount that must have an origin."""
MOST = 1e15
"""Beyond this a float has no cents."""
_NEAR = 20
"""Numbers whose sums are tried."""
_AMOUNT = re.compile(r"(?<![\w.,/:-])\d{1,12}(?:\.\d{1,4})?(?![\w/:-]|[.,]\d)")
_APART = re.compile(r"\d[,'\u00a0\u202f]\d")
_THOUSANDS = re.compile(r"(?<=\d)[,'\u00a0\u202f](?=\d{3}(?!\d))")


def written(plain: str) -> dict[str, None]:
    """The amounts, in order."""
    return dict.fromkeys(amount for amount in _AMOUNT.findall(plain) if _is_amount(float(amount)))


def together(text: str) -> str:
    """With thousands written as `1234`."""
    return _THOUSANDS.sub("", text) if _APART.search(text) else text


def bare(digits: str) -> str:
    """`68962.00` as `68962`, `12.50` as `12.5`: the shortest spelling of a number."""
    return digits.rstrip("0").rstrip(".") if "." in digits else digits


def _is_amount(number: float) -> bool:
    return (number >= _LEAST or not number.is_integer()) and number not in _YEARS


def derived(number: float, near: list[float]) -> bool:
    """Whether the number is one of these, converted from one, or follows from the nearest by plain arithmetic."""
    if number in near:
        return True
    close = near[:_NEAR]
    return _summed(number, close) or _multiplied(number, close) or converted(number, Quantities(close))


def _multiplied(number: float, near: list[float]) -> bool:
    """Whether it is the product, quotient or percentage of two of the numbers, to the cent."""
    known = {round(term, 2) for term in near}
    return any(
        round(other, 2) in known
        for term in near
        if term and number
        for share in (number / term,)
        for other in (share, 100 * share, 100 * (1 - share), 100 * (share - 1), term / number)
    )


def _summed(number: float, near: list[float]) -> bool:
    """Whether two to four of the numbers yield it by addition and subtraction."""
    cents = [round(100 * term) for term in near]
    pairs: dict[int, list[tuple[int, int]]] = {}
    for at, one in enumerate(cents):
        pairs.setdefault(one, []).append((at, at))
        for other in range(at):
            for total in (one + cents[other], one - cents[other], cents[other] - one):
                pairs.setdefault(total, []).append((at, other))
    wanted = round(100 * number)
    if wanted in pairs:
        return True
    return any(
        set(used).isdisjoint(others)
        for total, ways in pairs.items()
        if wanted - total in pairs
        for used in ways
        for others in pairs[wanted - total]
    )
