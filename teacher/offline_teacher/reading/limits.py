"""Numbers of a text that bound something: at most 3 items, between 1 and 6, no later than 30 days."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from offline_teacher.reading.words import singular

_NUMBER = r"\d{1,7}(?:[.,]\d{1,3})?|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve"
_LIMIT = re.compile(
    r"\b(?P<kind>at most|no more than|not more than|never more than|up to|(?:a )?maximum (?:of|is)|at least|"
    r"no (?:less|fewer) than|not less than|(?:a )?minimum (?:of|is)|more than|above|over|exceed|exceeding|"
    r"fewer than|less than|exactly)"
    rf"\s+(?:a |an |the )?[€$£]?(?P<number>{_NUMBER})\b\s*(?P<unit>(?:[A-Za-z-]+|%|°\s?[CF]|€)?)",
    re.IGNORECASE,
)
_BETWEEN = re.compile(
    rf"\b(?:between|from)\s+(?P<low>{_NUMBER})(?:\s*+(?:°\s?[CF]|%|[A-Za-z]{{1,12}}))?\s++(?:and|to)\s++(?P<high>{_NUMBER})\b"
    r"\s*+(?P<unit>(?:[A-Za-z-]+|%|°\s?[CF]|€)?)",
    re.IGNORECASE,
)
_WORDS = "one two three four five six seven eight nine ten eleven twelve"
_NUMBERS: dict[str, int] = {word: number for number, word in enumerate(_WORDS.split(), start=1)}
_UPPER = ("at most", "no more", "not more", "never more", "up to", "max", "a max", "fewer", "less", "exactly")
_LOWER = ("at least", "no less", "no fewer", "not less", "min", "a min", "exactly")
_FORBIDS = re.compile(
    r"\b(?:not|never|cannot|can't|no|isn't|aren't|don't|doesn't|rejected|refused|forbidden)\b", re.IGNORECASE
)
_NO_UNIT = frozenset(
    "and or of in the a an to for before after per is are as at by on from with than if you it".split()
)


@dataclass(frozen=True, slots=True)
class Limit:
    """A number that bounds something."""

    noun: str
    """What is counted or measured, singular if it is a word: `week`, `item`; may be empty."""
    minimum: float | None
    maximum: float | None
    sentence: str


def limits(text: str) -> Iterator[Limit]:
    """All limits of one sentence."""
    for match in _LIMIT.finditer(text):
        kind, number = match["kind"].lower(), _number(match["number"])
        upper, lower = kind.startswith(_UPPER), kind.startswith(_LOWER)
        if not upper and not lower:
            # "more than 15 percent" bounds only where it is forbidden.
            upper = bool(_FORBIDS.search(text))
            if not upper:
                continue
        yield Limit(_noun(match["unit"]), number if lower else None, number if upper else None, text)
    for match in _BETWEEN.finditer(text):
        low, high = _number(match["low"]), _number(match["high"])
        if low < high:
            yield Limit(_noun(match["unit"]), low, high, text)


def _number(text: str) -> float:
    return float(_NUMBERS.get(text.lower()) or text.replace(",", ""))


def _noun(unit: str) -> str:
    word = unit.lower().strip("-").replace(" ", "")
    return "" if word in _NO_UNIT else singular(word)
