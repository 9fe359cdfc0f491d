"""Clock times and lengths of time as people write them: `half past five`, `before ten`, `45 min`, `tomorrow afternoon`.

Readings are generous (`from 5 to 8` gives both halves of the day), because times of unknown origin go to the judge
anyway: these readings only settle the clear cases.
"""

import re
from collections.abc import Iterable

from gem_tasks.patterns import IgnoringCase
from gem_tasks.patterns import words as any_of

_HOURS = "one two three four five six seven eight nine ten eleven twelve".split()
_STUNDEN = "ein zwei drei vier fünf sechs sieben acht neun zehn elf zwölf".split()
_HOUR_OF = {word: at + 1 for words in (_HOURS, _STUNDEN) for at, word in enumerate(words)} | {"eins": 1}
_WORD = any_of(sorted(_HOUR_OF, key=len, reverse=True))
_DIGITAL = IgnoringCase(r"(?<![\d:])(\d{1,2})[:.h](\d{2})(?::\d{2})?\s*([ap])?\.?(?:m\b)?")
_WHOLE = IgnoringCase(r"\b(\d{1,2})\s*(?:([ap])\.?m\b|o['’]clock|uhr|h\b)")
_AFTER_A_WORD = IgnoringCase(
    r"\b(?:at|by|before|after|from|until|till|to|around|about|past|since|between|and|-|–|um|ab|bis|vor|nach|gegen)\s++"
    rf"(\d{{1,2}}|{_WORD})\b(?![:.,]\d|\s*[%°€$])",
)
_PAST = IgnoringCase(
    rf"\b(half|quarter|halb|viertel)(?:[\s-]++(past|to|after|before|nach|vor))?\s++(\d{{1,2}}|{_WORD})\b"
)
_LENGTH = IgnoringCase(
    rf"\b(\d{{1,3}}|an?|{_WORD}|fifteen|twenty|thirty|forty-five|ninety)[\s-]*+(minute|min|hour|hr|h|stunde)(?:s|n|utes)?\b",
)
_FIELD = re.compile(r"minutes\"?:\s*(\d{1,3})")
_MORE = {"a": 1, "an": 1, "fifteen": 15, "twenty": 20, "thirty": 30, "forty-five": 45, "ninety": 90}
_FRACTIONS = (("half an hour", 30), ("half-hour", 30), ("half hour", 30), ("quarter of an hour", 15),
              ("quarter hour", 15), ("hour and a half", 90), ("halbe stunde", 30), ("viertelstunde", 15))  # fmt: skip
_PARTS = {"morning": (6, 12), "afternoon": (12, 18), "evening": (17, 22), "tonight": (17, 23), "lunch": (11, 14),
          "vormittag": (8, 12), "nachmittag": (12, 18), "abend": (17, 22), "business hours": (8, 18),
          "end of the day": (17, 18), "end of day": (17, 18)}  # fmt: skip
_NAMED = (("noon", (12, 0)), ("midday", (12, 0)), ("midnight", (0, 0)), ("mittag", (12, 0)))
_LAST_HOUR, _DAY = 24, 24 * 60


def times(text: str) -> set[tuple[int, int]]:
    """(hour, minute) of every clock time; without am or pm both halves of the day."""
    found: set[tuple[int, int]] = set()
    for match in _DIGITAL.finditer(text):
        found.update(_halves(int(match[1]), int(match[2]), match[3]))
    for match in _WHOLE.finditer(text):
        found.update(_halves(int(match[1]), 0, match[2]))
    for match in _AFTER_A_WORD.finditer(text):
        found.update(_halves(_hour(match[1]), 0, None))
    for match in _PAST.finditer(text):
        found.update(_fraction(match[1].lower(), (match[2] or "").lower(), _hour(match[3])))
    lowered = text.lower()
    found.update(clock for word, clock in _NAMED if word in lowered)
    return found


def durations(lowered: str) -> set[int]:
    """Lengths of time up to a day, in minutes."""
    found = {length for words, length in _FRACTIONS if words in lowered}
    found.update(int(digits) for digits in _FIELD.findall(lowered))
    for match in _LENGTH.finditer(lowered):
        count = int(match[1]) if match[1].isdecimal() else _MORE.get(match[1]) or _HOUR_OF.get(match[1], 0)
        found.add(count * (1 if match[2].startswith("min") else 60))
    return {length for length in found if 0 < length <= _DAY}


def in_part_of_day(lowered: str, hour: int, minute: int) -> bool:
    """Whether a whole hour lies in a named part of the day, such as the ends of `tomorrow afternoon`."""
    return minute == 0 and any(word in lowered and first <= hour <= last for word, (first, last) in _PARTS.items())


def shifted(clock: tuple[int, int], lengths: Iterable[int]) -> set[tuple[int, int]]:
    """The times that lie one of the lengths (minutes) before or after the clock time."""
    at = 60 * clock[0] + clock[1]
    return {divmod((at + sign * length) % _DAY, 60) for length in lengths for sign in (-1, 1)}


def _hour(text: str) -> int:
    return int(text) if text.isdecimal() else _HOUR_OF[text.lower()]


def _fraction(part: str, side: str, hour: int) -> Iterable[tuple[int, int]]:
    """`half past five` is 5:30, `halb sechs` too; `quarter to six` and `Viertel vor sechs` are 5:45."""
    if part == "halb" or (part == "half" and side in ("to", "before")):
        minutes = 60 * hour - 30
    elif side in ("to", "before", "vor"):
        minutes = 60 * hour - 15
    else:
        minutes = 60 * hour + (30 if part == "half" else 15)
    return _halves(minutes // 60, minutes % 60, None)


def _halves(hour: int, minute: int, half: str | None) -> Iterable[tuple[int, int]]:
    if hour > _LAST_HOUR:
        return []
    if half:
        return [(hour % 12 + (12 if half.lower() == "p" else 0), minute)]
    return [(hour, minute)] if hour > 12 else [(hour, minute), ((hour + 12) % 24, minute)]
