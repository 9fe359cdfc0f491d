"""Dates as people write them, and what follows from a given date.

`next Friday` needs a reference day: a date of the system turn, where prompts state the current one.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta

from gem_tasks.patterns import IgnoringCase, words

_MONTHS = "january february march april may june july august september october november december".split()
_MONTH_OF = {
    **{name: at + 1 for at, name in enumerate(_MONTHS)},
    **{name[:3]: at + 1 for at, name in enumerate(_MONTHS)},
    **{"sept": 9, "januar": 1, "februar": 2, "märz": 3, "mai": 5, "juni": 6, "juli": 7, "oktober": 10, "dezember": 12},
    **{"okt": 10, "dez": 12, "janvier": 1, "février": 2, "mars": 3, "avril": 4, "juin": 6, "juillet": 7, "août": 8},
}
_DAYS = "monday tuesday wednesday thursday friday saturday sunday".split()
_TAGE = "montag dienstag mittwoch donnerstag freitag samstag sonntag".split()
_DAY_OF = {name[:size]: at for names in (_DAYS, _TAGE) for at, name in enumerate(names) for size in (3, None)} | {
    "sonnabend": 5
}

_ISO = re.compile(r"(?<!\d)(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?!\d)")
_COMPACT = re.compile(r"(?<!\d)(20\d{2})(\d{2})(\d{2})(?!\d)")
_SLASHED = re.compile(r"(?<![\d.])(\d{1,2})[/.](\d{1,2})[/.](\d{4}|\d{2})(?!\d)")
_SHORT = re.compile(r"(?<![\d./])(\d{1,2})[/.](\d{1,2})(?:\.|(?![\d/.]))")
_NAME = words(sorted(_MONTH_OF, key=len, reverse=True))
_DAY_MONTH = IgnoringCase(rf"\b(\d{{1,2}})(?:st|nd|rd|th|\.)?\s++(?:of\s++)?({_NAME})\b\.?,?(?:\s++(\d{{4}}))?")
_MONTH_DAY = IgnoringCase(rf"\b({_NAME})\b\.?\s++(?:the\s++)?(\d{{1,2}})(?:st|nd|rd|th)?\b(?:,?\s++(\d{{4}}))?")
_MONTH_YEAR = IgnoringCase(rf"\b({_NAME})\b\.?,?\s++(\d{{4}})\b")
_ORDINAL = IgnoringCase(r"\b(\d{1,2})(?:st|nd|rd|th)\b")
_WEEKDAY = IgnoringCase(rf"\b({words([*_DAYS, *_TAGE, 'sonnabend'])}|mon|tues?|wed|thu(?:rs?)?|fri|sat|sun)s?\b")
_WEEKENDS = IgnoringCase(r"\b(?:weekends?|wochenende)\b")
_PERIOD = IgnoringCase(
    r"\b(this|next|last|coming|current|following|the|diese[rns]?|nächste[rns]?|letzte[rns]?|des|of)\s++"
    r"(week|month|quarter|year|woche|monats?|quartals?|jahre?s?)\b|\b(month|quarter|year|jahres|monats)[ -]?ende?\b",
)
_PERIOD_OF = {"woche": "week", "monat": "month", "monats": "month", "quartal": "quarter", "quartals": "quarter",
              "jahr": "year", "jahre": "year", "jahres": "year"}  # fmt: skip
_SHIFT = {"next": 1, "coming": 1, "following": 1, "last": -1, "näch": 1, "letz": -1}
_BARE_MONTH = IgnoringCase(
    r"\b(?:in|of|by|until|till|through|for|end|mid|early|late|since|from|after|before|starting|between|and|to"
    rf"|ende|anfang|im|seit|ab)[\s-]++({_NAME})\b",
)
_RELATIVE = IgnoringCase(
    r"\b(today|tonight|tomorrow|yesterday|now|this (?:morning|afternoon|evening|week|month|weekend)|day after tomorrow"
    r"|next (?:week|month|year|weekend|day)|end of (?:the |this |next )?(?:week|month|year)|last (?:week|month|year)"
    r"|later|from now|ago|heute|morgen|übermorgen|gestern)\b",
)
_SPAN = IgnoringCase(
    r"\b(\d{1,3}|an?|one|two|three|four|five|six|seven|eight|nine|ten|twelve|fourteen|thirty|couple of)[\s-]++"
    r"(day|night|week|fortnight|month|year|business day|working day|hour)s?\b",
)
_NUMERAL = {"a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8,
            "nine": 9, "ten": 10, "twelve": 12, "fourteen": 14, "thirty": 30, "couple of": 2}  # fmt: skip
_LENGTH = {"day": 1, "night": 1, "week": 7, "fortnight": 14, "month": 30, "year": 365, "hour": 0}
_NAMED_OFFSETS = {"today": 0, "tonight": 0, "now": 0, "tomorrow": 1, "yesterday": -1, "day after tomorrow": 2,
                  "heute": 0, "morgen": 1, "übermorgen": 2, "gestern": -1, "next day": 1, "next week": 7,
                  "last week": -7}  # fmt: skip
_SLACK = {30: (28, 29, 30, 31), 365: (365, 366)}
_NEAR_DAYS = 31
_MOST_DATES = 60
_MONTH_STEMS = tuple(dict.fromkeys(name[:3] for name in _MONTH_OF))
_TIME_WORDS = ("day", "night", "now", "week", "month", "year", "later", "ago", "hour", "quarter", "morrow", "heute",
               "morgen", "gestern", "woche", "monat", "quartal", "jahr", "this ")  # fmt: skip
"""Every relative date contains one of these: the patterns are slow."""
_DAY_CODES = frozenset("mo tu we th fr sa su".split())
_WEEK_EDGES = (0, 4, 5, 6)
"""A week begins on Monday or Sunday and ends on Friday, Saturday or Sunday."""
_MONTHS_AROUND = 12


def day(year: int, month: int, number: int) -> date | None:
    """A date; None if the calendar has no such day."""
    try:
        return date(year, month, number)
    except ValueError:
        return None


def in_words(wanted: date) -> tuple[str, str]:
    """`6 february` and `february 6`, the common spellings of a date."""
    month = _MONTHS[wanted.month - 1]
    return f"{wanted.day} {month}", f"{month} {wanted.day}"


@dataclass
class Calendar:
    """Every date and hint at a date in the texts read so far."""

    dates: set[date] = field(default_factory=set[date])
    partial: set[tuple[int, int]] = field(default_factory=set[tuple[int, int]])
    """(month, day) without a year."""
    months: set[tuple[int, int]] = field(default_factory=set[tuple[int, int]])
    """(year, month) without a day."""
    bare_months: set[int] = field(default_factory=set[int])
    """Months without day and year."""
    periods: set[tuple[str, int]] = field(default_factory=set[tuple[str, int]])
    """(week, month, quarter or year, offset from now)."""
    ordinals: set[int] = field(default_factory=set[int])
    weekdays: set[int] = field(default_factory=set[int])
    offsets: set[int] = field(default_factory=set[int])
    """Offsets from today in days, as stated."""
    spans: set[int] = field(default_factory=set[int])
    """Lengths in days."""
    vague: bool = False
    """A relative expression without an exact reading was used."""

    def read_dates(self, text: str) -> None:
        """Adds the absolute dates of a text."""
        self._digits(text)
        self._months(text)

    def read(self, text: str) -> None:
        """Adds the dates of a text."""
        lowered = text.lower()
        self._digits(text)
        self._names(text, lowered)
        if not any(word in lowered for word in _TIME_WORDS):
            return
        for match in _RELATIVE.finditer(text):
            word = match[1].lower()
            self.offsets.update([_NAMED_OFFSETS[word]] if word in _NAMED_OFFSETS else [])
            self.vague = True
        for match in _PERIOD.finditer(text):
            which, unit = (match[1] or "").lower(), (match[2] or match[3]).lower()
            self.periods.add((_PERIOD_OF.get(unit, unit), _SHIFT.get(which, _SHIFT.get(which[:4], 0))))
        for match in _SPAN.finditer(text):
            count = _NUMERAL.get(match[1].lower()) or (int(match[1]) if match[1].isdecimal() else 0)
            length = _LENGTH[match[2].lower().split()[-1]]
            self.spans.update(count * days for days in _SLACK.get(length, (length,)))
            self.vague = self.vague or match[2].lower().startswith(("business", "working"))

    def _digits(self, text: str) -> None:
        for pattern in (_ISO, _COMPACT):
            for match in pattern.finditer(text):
                self._add(day(int(match[1]), int(match[2]), int(match[3])))
        for match in _SLASHED.finditer(text):
            year = int(match[3]) + (2000 if len(match[3]) == 2 else 0)
            self._add(day(year, int(match[1]), int(match[2])))
            self._add(day(year, int(match[2]), int(match[1])))
        for match in _SHORT.finditer(text):
            one, other = int(match[1]), int(match[2])
            self.partial.update([(one, other), (other, one)])

    def _names(self, text: str, lowered: str) -> None:
        if any(month in lowered for month in _MONTH_STEMS):
            self._months(text)
        self.ordinals.update(int(found) for found in _ORDINAL.findall(text))
        self.weekdays.update(_DAY_OF[found.lower()[:3]] for found in _WEEKDAY.findall(text))
        self.weekdays.update((5, 6) if _WEEKENDS.search(text) else ())

    def _months(self, text: str) -> None:
        for match in _DAY_MONTH.finditer(text):
            self._named(_MONTH_OF[match[2].lower()], int(match[1]), match[3])
        for match in _MONTH_DAY.finditer(text):
            self._named(_MONTH_OF[match[1].lower()], int(match[2]), match[3])
        for match in _MONTH_YEAR.finditer(text):
            self.months.add((int(match[2]), _MONTH_OF[match[1].lower()]))
        self.bare_months.update(_MONTH_OF[found.lower()] for found in _BARE_MONTH.findall(text))

    def _named(self, month: int, number: int, year: str | None) -> None:
        if year:
            self._add(day(int(year), month, number))
        else:
            self.partial.add((month, number))

    def _add(self, found: date | None) -> None:
        if found:
            self.dates.add(found)

    def knows(self, wanted: date) -> bool:
        """Whether the date itself was said, possibly without its year, or as first or last day of a named month."""
        edge = wanted.day == 1 or (wanted + timedelta(days=1)).day == 1 if wanted < date.max else False
        return (
            wanted in self.dates
            or (wanted.month, wanted.day) in self.partial
            or (edge and (wanted.year, wanted.month) in self.months)
        )

    def derives(self, wanted: date, today: Iterable[date]) -> bool:
        """Whether the date follows from what was said: a number of days from one, a named day counted from today."""
        anchors = sorted(self.dates, reverse=True)[:_MOST_DATES]
        if any(abs((wanted - known).days) in self.spans for known in anchors):
            return True
        for base in today:
            distance = (wanted - base).days
            if distance in self.offsets or abs(distance) in self.spans:
                return True
            if abs(distance) <= _NEAR_DAYS and (wanted.weekday() in self.weekdays or wanted.day in self.ordinals):
                return True
            if self._bounds_a_period(wanted, base):
                return True
        return wanted.day in self.ordinals and any(
            (known.year, known.month) == (wanted.year, wanted.month) for known in anchors
        )

    def _bounds_a_period(self, wanted: date, today: date) -> bool:
        """Whether it is the first or last day of a named period: `next week`, `end of the year`, `in October`."""
        weeks = (wanted - timedelta(days=wanted.weekday()) - today + timedelta(days=today.weekday())).days // 7
        if ("week", weeks) in self.periods and wanted.weekday() in _WEEK_EDGES:
            return True
        last = wanted < date.max and (wanted + timedelta(days=1)).day == 1
        if wanted.day != 1 and not last:
            return False
        months = 12 * (wanted.year - today.year) + wanted.month - today.month
        quarters = 4 * (wanted.year - today.year) + (wanted.month - 1) // 3 - (today.month - 1) // 3
        return (
            ("month", months) in self.periods
            or (wanted.month % 3 == (0 if last else 1) and ("quarter", quarters) in self.periods)
            or (wanted.month == (12 if last else 1) and ("year", wanted.year - today.year) in self.periods)
            or (wanted.month in self.bare_months and abs(months) <= _MONTHS_AROUND)
        )

    @property
    def hints(self) -> bool:
        """Whether a relative expression was used, from which a person could derive a date."""
        return bool(self.vague or self.weekdays or self.spans or self.ordinals or self.offsets)


def is_weekday(text: str) -> bool:
    """Whether it names a weekday: `FR`, `fri` or `Friday`, as schedules write a given day."""
    word = text.strip(" .").lower()
    return word in _DAY_CODES or word in _DAY_OF
