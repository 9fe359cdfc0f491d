"""Ranges for queries over rollups."""

from datetime import datetime
from typing import NamedTuple


class PartitionRange(NamedTuple):
    """Partitions from the first to the last key, and a source; None means any."""

    first: str
    last: str
    source_id: int | None


class TimeRange(NamedTuple):
    """Time since a moment, in steps (`hour`, `day`, `week`), and a source; None means any."""

    since: datetime
    step: str
    source_id: int | None
