"""Queries of the first page, from rollups."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from gem_tasks.lineage.connection import Part
from gem_tasks.lineage.console.span import PartitionRange, TimeRange


class Ingested(NamedTuple):
    """Counts of documents and segments; `reason` is empty for documents with segments."""

    reason: str
    documents: int
    segments: int


class Total(NamedTuple):
    """Results with the same outcome under a recipe; `priced` ones have a known price."""

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
    """Results of a stage in an hour, a day or a week."""

    at: datetime
    stage: str
    outcome: str
    results: int
    calls: int
    usd: float


class HeldTexts(NamedTuple):
    """Accepted texts of a partition that a quota holds; `recipe_id` is the filter's."""

    partition: str
    recipe_id: str
    texts: int


class Overview(Part):
    """Counts over all partitions of a range."""

    def ingested(self, which: PartitionRange) -> list[Ingested]:
        """Documents and segments by reason."""
        return self._db.all(Ingested, "console_ingested", **which._asdict())

    def totals(self, which: PartitionRange, recipe_ids: Sequence[str]) -> list[Total]:
        """Results by recipe, outcome and reason."""
        return self._db.all(Total, "console_totals", recipe_ids=list(recipe_ids), **which._asdict())

    def held(self, which: PartitionRange, recipe_ids: Sequence[str]) -> list[HeldTexts]:
        """Texts that quotas hold, by partition and recipe."""
        return self._db.all(HeldTexts, "console_held", recipe_ids=list(recipe_ids), **which._asdict())

    def spared(self, which: PartitionRange, confirm: str, extract: str) -> dict[str, int]:
        """Texts that a synthesizer spares `extract`, by partition."""
        rows = self._db.rows("console_spared", confirm=confirm, extract=extract, **which._asdict())
        return {row["partition"]: row["texts"] for row in rows}

    def published(self, which: PartitionRange) -> int:
        """Number of trajectories in current versions, of all sources."""
        return self._db.one("console_published", first=which.first, last=which.last)["trajectories"]

    def series(self, which: TimeRange) -> list[Activity]:
        """Results by time, stage and outcome."""
        return self._db.all(Activity, "console_series", **which._asdict())
