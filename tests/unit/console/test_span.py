"""The filters of the pages: the range gives its beginning and the unit of its series."""

from datetime import UTC, datetime, timedelta

import pytest

from gem_tasks.console.span import RANGES, Filters


@pytest.mark.parametrize(
    ("name", "step"), [("24h", "hour"), ("7d", "day"), ("30d", "day"), ("90d", "day"), ("all", "week")]
)
def test_every_range_has_its_beginning_and_its_step(name, step):
    filters = Filters(range=name, source_id=3)
    length = RANGES[name]
    assert filters.series.step == step
    assert filters.series.source_id == filters.partitions.source_id == 3
    if length is None:
        assert filters.since == datetime(2000, 1, 1, tzinfo=UTC)
    else:
        assert abs(datetime.now(UTC) - length - filters.since) < timedelta(minutes=1)


def test_partitions_are_compared_as_texts():
    first, last = Filters(range="all").partitions.first, Filters().partitions.last
    assert first == "2000-01-01T00:00"
    assert first < "2026-01-31T14:00" < last
