"""Lineage of failures."""

from collections.abc import Sequence
from typing import NamedTuple

from gem_tasks.lineage.connection import Part

_ANY: dict[str, str | None] = {"error_class": None, "stage": None, "partition": None}


class FailedRow(NamedTuple):
    """A failed segment."""

    segment_id: str
    uri: str
    stage: str
    recipe_id: str
    partition: str
    shard: int
    error_class: str
    detail: str
    calls: int
    object_key: str
    set_aside: bool


class FailedCount(NamedTuple):
    """Number of failures of one class in a stage of a partition, with the message of one of them."""

    stage: str
    error_class: str
    partition: str
    segments: int
    set_aside: int
    example: str


class Failures(Part):
    """Queries and marks of `pipeline.upkeep.failures`. `which`: error_class, stage and partition; None means any."""

    def newest(self, recipe_ids: Sequence[str], limit: int, **which: str | None) -> list[FailedRow]:
        """Failed segments, newest first."""
        return self._db.all(FailedRow, "failed", recipe_ids=list(recipe_ids), limit=limit, **which)

    def counts(self, recipe_ids: Sequence[str], **which: str | None) -> list[FailedCount]:
        """Counts of failures by stage, class and partition."""
        return self._db.all(FailedCount, "failed_counts", recipe_ids=list(recipe_ids), **_ANY | which)

    def mark(self, recipe_ids: Sequence[str], **which: str | None) -> None:
        """Marks failures, so that the next run retries them."""
        self._db.run("mark_failed", recipe_ids=list(recipe_ids), **which)
