"""Lineage of what runs now, for `gem top`: rollups and an index, so that it may be asked every few seconds.

Progress by stage is not here: counting it scans the partition's results (`cli.top_sources`).
"""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from gem_tasks.domain.base import Value
from gem_tasks.lineage.connection import Part


class TotalRow(NamedTuple):
    """Results of a partition in a stage with the same outcome and reason."""

    partition: str
    stage: str
    outcome: str
    why: str
    segments: int
    tokens: int
    usd: float
    priced: int
    """Number of segments with a known price."""


class ErrorRow(Value):
    """A segment that failed."""

    at: datetime
    stage: str
    error_class: str
    detail: str
    partition: str
    shard: int
    segment_id: str


class Top(Part):
    """Queries of `cli.top`."""

    def totals(self, partitions: Collection[str]) -> list[TotalRow]:
        """Results of these partitions, the most frequent first."""
        return self._db.all(TotalRow, "top_totals", partitions=sorted(partitions))

    def errors(self, limit: int) -> list[ErrorRow]:
        """The newest failures of any partition."""
        return self._db.all(ErrorRow, "top_errors", limit=limit)
