"""Dates and times of day of unknown origin, which follow from no given date or length of time."""

import re
from datetime import date

from gem_tasks.checks.faults import Fault
from gem_tasks.checks.grounding.grounds import Grounds
from gem_tasks.checks.reading.clock import in_part_of_day, shifted
from gem_tasks.checks.reading.dates import day, in_words

DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::\d{2})?(?:\.\d+)?(?:Z|[+-]\d{2}:?\d{2})?)?")
"""Groups: year, month, day, and optionally hour and minute."""
CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::\d{2})?(?:\s?([AaPp])\.?[Mm]\.?)?")
"""Groups: hour, minute, `a` or `p`."""
_EDGES = {(0, 0), (23, 59), (24, 0)}
"""Hour and minute where a day begins or ends: a date alone explains them."""


def date_fault(match: re.Match[str], grounds: Grounds) -> Fault | None:
    """The fault of a match of `DATE`."""
    wanted = day(int(match[1]), int(match[2]), int(match[3]))
    if wanted is None or not _is_traced(wanted, grounds):
        return Fault.UNSOURCED_DATE
    return _time_fault(int(match[4]), int(match[5]), grounds) if match[4] else None


def clock_fault(match: re.Match[str], grounds: Grounds) -> Fault | None:
    """The fault of a match of `CLOCK`."""
    hour = int(match[1]) % 12 + (12 if match[3].lower() == "p" else 0) if match[3] else int(match[1])
    return _time_fault(hour, int(match[2]), grounds)


def _is_traced(wanted: date, grounds: Grounds) -> bool:
    traced = any(grounds.given.literally(form) for form in in_words(wanted)) or any(
        said.calendar.knows(wanted) or said.calendar.derives(wanted, grounds.today)
        for said in (grounds.told, grounds.given, grounds.proposed)  # the few words of people first
    )
    return traced or _whole_year(wanted, grounds)


def _whole_year(wanted: date, grounds: Grounds) -> bool:
    """Whether it is the first or last day of a named year."""
    return (wanted.month, wanted.day) in ((1, 1), (12, 31)) and wanted.year in grounds.given.numbers()


def _time_fault(hour: int, minute: int, grounds: Grounds) -> Fault | None:
    said = grounds.given.times() | grounds.proposed.times()
    if (hour, minute) in _EDGES | said:
        return None
    if any(in_part_of_day(item.folded, hour, minute) for item in grounds.told.utterances):
        return None
    lengths = grounds.given.durations() | grounds.proposed.durations()
    return None if shifted((hour, minute), lengths) & said else Fault.UNSOURCED_TIME
