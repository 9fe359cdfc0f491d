"""Lineage of what failed."""

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
    """How many failed in one way in a stage of a partition, and what one of them says."""

    stage: str
    error_class: str
    partition: str
    segments: int
    set_aside: int
    example: str


class Failures(Part):
    """What `pipeline.upkeep.failures` asks and marks. `which` is error_class, stage and partition; None means any."""

    def newest(self, recipe_ids: Sequence[str], limit: int, **which: str | None) -> list[FailedRow]:
        """Failed segments, the newest first."""
        return self._db.all(FailedRow, "failed", recipe_ids=list(recipe_ids), limit=limit, **which)

    def counts(self, recipe_ids: Sequence[str], **which: str | None) -> list[FailedCount]:
        """How many there are, by stage, class and partition."""
        return self._db.all(FailedCount, "failed_counts", recipe_ids=list(recipe_ids), **_ANY | which)

    def mark(self, recipe_ids: Sequence[str], **which: str | None) -> None:
        """The next run asks for them again."""
        self._db.run("mark_failed", recipe_ids=list(recipe_ids), **which)
