"""What the first page asks, from rollups."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from gem_tasks.lineage.connection import Part
from gem_tasks.lineage.console.span import PartitionRange, TimeRange


class Ingested(NamedTuple):
    """Documents and segments; `reason` is why the documents have no segments, empty for those that have."""

    reason: str
    documents: int
    segments: int


class Total(NamedTuple):
    """What ended in one way under a recipe; `priced` results have a known price."""

    recipe_id: str
    outcome: str
    why: str
    segments: int
    calls: int
    tokens: int
    latency_ms: int
    priced: int
    usd: float


class Activity(NamedTuple):
    """What an hour, a day or a week brought a stage."""

    at: datetime
    stage: str
    outcome: str
    results: int
    calls: int
    usd: float


class Overview(Part):
    """Counts over all partitions of a range."""

    def ingested(self, which: PartitionRange) -> list[Ingested]:
        """By reason."""
        return self._db.all(Ingested, "console_ingested", **which._asdict())

    def totals(self, which: PartitionRange, recipe_ids: Sequence[str]) -> list[Total]:
        """By recipe, outcome and why."""
        return self._db.all(Total, "console_totals", recipe_ids=list(recipe_ids), **which._asdict())

    def published(self, which: PartitionRange) -> int:
        """Trajectories in current versions; of all sources."""
        return self._db.one("console_published", first=which.first, last=which.last)["trajectories"]

    def series(self, which: TimeRange) -> list[Activity]:
        """By time, stage and outcome."""
        return self._db.all(Activity, "console_series", **which._asdict())
