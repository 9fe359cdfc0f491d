"""Every moment has one partition, whatever clock it was read from."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gem_tasks.domain.partition import partition_of

BERLIN, KOLKATA = ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Kolkata")


def test_the_hour_that_occurs_twice_is_two_partitions():
    twice = [datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN, fold=fold) for fold in (0, 1)]
    assert [partition_of(moment) for moment in twice] == ["2026-10-25T00:00", "2026-10-25T01:00"]


def test_a_day_on_which_the_clocks_change_has_no_gap():
    for first in (datetime(2026, 3, 29, tzinfo=UTC), datetime(2026, 10, 25, tzinfo=UTC)):
        moments = [(first + timedelta(minutes=minute)).astimezone(BERLIN) for minute in range(24 * 60)]
        found = [partition_of(moment) for moment in moments]
        assert found == sorted(found)
        assert len(set(found)) == 24


def test_a_zone_with_half_an_hour_has_utc_hours():
    assert partition_of(datetime(2026, 1, 31, 20, 10, tzinfo=KOLKATA)) == "2026-01-31T14:00"


def test_a_moment_without_a_zone_is_refused():
    with pytest.raises(ValueError, match="time zone"):
        partition_of(datetime(2026, 1, 31, 14))  # noqa: DTZ001


@given(st.datetimes(timezones=st.timezones(), min_value=datetime(2000, 1, 1)))  # noqa: DTZ001  hypothesis adds them
def test_it_is_the_hour_that_the_moment_lies_in(moment):
    start = datetime.strptime(partition_of(moment), "%Y-%m-%dT%H:%M").replace(tzinfo=UTC)
    assert timedelta(0) <= moment.astimezone(UTC) - start < timedelta(hours=1)
