"""The filters that most pages share: a range of time, a source, a chain of recipes."""

from datetime import UTC, datetime, timedelta
from typing import Literal

from gem_tasks.domain.base import Value
from gem_tasks.lineage.console.span import PartitionRange, TimeRange

Range = Literal["24h", "7d", "30d", "90d", "all"]
RANGES: dict[Range, timedelta | None] = {
    "24h": timedelta(hours=24),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
    "90d": timedelta(days=90),
    "all": None,
}
_BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)
_PARTITION = "%Y-%m-%dT%H:%M"


class Filters(Value):
    """The filters of a page."""

    range: Range = "30d"
    source_id: int | None = None
    chain: str | None = None

    @property
    def since(self) -> datetime:
        """The beginning of the range."""
        length = RANGES[self.range]
        return datetime.now(UTC) - length if length else _BEGINNING

    @property
    def partitions(self) -> PartitionRange:
        """The range as partition keys, which sort like their hours."""
        return PartitionRange(first=self.since.strftime(_PARTITION), last="~", source_id=self.source_id)

    @property
    def step(self) -> str:
        """The unit of a series."""
        return {"24h": "hour", "7d": "day", "30d": "day", "90d": "day", "all": "week"}[self.range]

    @property
    def series(self) -> TimeRange:
        """The range as times."""
        return TimeRange(since=self.since, step=self.step, source_id=self.source_id)
