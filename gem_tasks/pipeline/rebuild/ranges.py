"""Turns partition keys, as ticks of the ingestion's schedule, into ranges for one backfill each.

A backfill creates a run for every tick of its range. A tick without a partition costs a run of seconds, and a backfill
waits for the one before it, so a range spans short gaps; it never includes a partition that is up to date.
"""

from collections.abc import Collection, Iterable
from datetime import UTC, datetime, timedelta

from gem_tasks.domain.base import Value
from gem_tasks.errors import UserError

KEY_FORMAT = "%Y-%m-%dT%H:%M"
TICK = timedelta(hours=1)
_GAP = 6 * TICK
LONGEST = timedelta(days=366)
"""Longest range: Airflow creates a run for each of its ticks at once, and does nothing else meanwhile."""


class Range(Value):
    """From one partition to another, both included."""

    first: str
    last: str
    partitions: int

    @property
    def dates(self) -> tuple[str, str]:
        """Both ends in the format of Airflow."""
        first, last = (tick(key) for key in (self.first, self.last))
        assert first and last, "a range has keys of the schedule"  # noqa: S101 - made here only
        return first.isoformat(), last.isoformat()

    @property
    def command(self) -> str:
        """The `gem backfill` command for this range."""
        return f"gem backfill --from {self.first} --to {self.last}"


def tick(key: str) -> datetime | None:
    """The tick of a partition; None if the key belongs to none."""
    try:
        when = datetime.strptime(key, KEY_FORMAT).replace(tzinfo=UTC)
    except ValueError:
        return None
    return when if not when.minute and when.strftime(KEY_FORMAT) == key else None


def bound(text: str, *, end: bool) -> str:
    """The partition key for a day, an hour or a key that a person typed.

    Args:
        text: such as `2026-01-31`, `2026-01-31T14` or `2026-01-31T14:00`.
        end: a day means its last hour.

    Raises:
        UserError: it is not a point in time.
    """
    try:
        when = datetime.fromisoformat(text if len(text) != len("2026-01-31T14") else f"{text}:00")
        when = when.astimezone(UTC) if when.tzinfo else when
    except (ValueError, OverflowError):
        raise UserError(f"{text!r} is not a partition", "Write a day or an hour, such as 2026-01-31T14:00.") from None
    if end and len(text) == len("2026-01-31"):
        when += timedelta(hours=23)
    return when.replace(minute=0).strftime(KEY_FORMAT)


def ranges(wanted: Collection[str], existing: Iterable[str]) -> tuple[list[Range], list[str]]:
    """The wanted partitions as ranges, oldest first, and the keys that belong to no tick.

    Args:
        wanted: keys to cover.
        existing: keys of all partitions; an unwanted one splits a range.
    """
    keys = sorted({*wanted, *existing})
    found: list[list[str]] = []
    open_ = False
    for key in keys:
        when = tick(key)
        if when is None:
            continue
        if key not in wanted:
            open_ = False
        elif open_ and when - _tick(found[-1][-1]) <= _GAP and when - _tick(found[-1][0]) < LONGEST:
            found[-1].append(key)
        else:
            found.append([key])
            open_ = True
    off_schedule = sorted(key for key in wanted if tick(key) is None)
    return [Range(first=group[0], last=group[-1], partitions=len(group)) for group in found], off_schedule


def _tick(key: str) -> datetime:
    return datetime.strptime(key, KEY_FORMAT).replace(tzinfo=UTC)
