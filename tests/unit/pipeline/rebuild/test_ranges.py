"""Partition keys as ranges: all wanted ones, no other, as few as short gaps allow."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gem_tasks.errors import UserError
from gem_tasks.pipeline.rebuild.ranges import KEY_FORMAT, bound, ranges

START = datetime(2026, 3, 28, tzinfo=UTC)
HOURS = st.sets(st.integers(0, 60))


def key(hour):
    return (START + timedelta(hours=hour)).strftime(KEY_FORMAT)


@given(HOURS, HOURS)
def test_every_wanted_partition_is_covered_and_no_other_one(wanted, others):
    wanted, others = {key(hour) for hour in wanted}, {key(hour) for hour in others}
    found, off = ranges(wanted, others)
    assert off == []
    covered = [each for each in sorted(wanted | others) if any(part.first <= each <= part.last for part in found)]
    assert covered == sorted(wanted)
    assert sum(part.partitions for part in found) == len(wanted)


def test_short_gaps_are_taken_along_and_long_ones_are_not():
    found, _ = ranges({key(0), key(3), key(30)}, ())
    assert [(part.first, part.last) for part in found] == [(key(0), key(3)), (key(30), key(30))]
    assert found[0].dates == ("2026-03-28T00:00:00+00:00", "2026-03-28T03:00:00+00:00")


def test_keys_that_are_no_tick_are_set_apart():
    found, off = ranges({key(1), "2026-03-28T01:07", "eu"}, ())
    assert [part.first for part in found] == [key(1)]
    assert off == ["2026-03-28T01:07", "eu"]


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2026-01-31", "2026-01-31T00:00", "2026-01-31T23:00"),
        ("2026-01-31T14", "2026-01-31T14:00", "2026-01-31T14:00"),
        ("2026-01-31T14:20", "2026-01-31T14:00", "2026-01-31T14:00"),
        ("2026-01-31T14:00+02:00", "2026-01-31T12:00", "2026-01-31T12:00"),
    ],
)
def test_days_hours_and_keys_are_understood(text, first, last):
    assert (bound(text, end=False), bound(text, end=True)) == (first, last)


def test_anything_else_is_refused():
    with pytest.raises(UserError, match="not a partition"):
        bound("yesterday", end=False)


def test_no_range_is_longer_than_a_year():
    hours = range(0, 24 * 800, 6)
    found, _ = ranges({key(hour) for hour in hours}, [])
    assert [each.partitions for each in found] == [1464, 1464, 272]


@pytest.mark.parametrize("text", ["0001-01-01T00:00+14:00", "9999-12-31T23:00-14:00"])
def test_a_point_beyond_all_time_is_no_partition(text):
    with pytest.raises(UserError, match="is not a partition"):
        bound(text, end=True)
