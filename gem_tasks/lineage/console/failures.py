"""Queries of the page of failures."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from gem_tasks.domain.base import Value
from gem_tasks.lineage.connection import Part
from gem_tasks.lineage.console.listing import Listed, Place, listed
from gem_tasks.lineage.console.span import PartitionRange, TimeRange


class FailureRow(Value):
    """One failed segment."""

    segment_id: str
    recipe_id: str
    stage: str
    error_class: str
    detail: str
    calls: int
    partition: str
    shard: int
    object_key: str
    retry_asked: bool
    set_aside: bool
    airflow_run_id: str | None
    airflow_task_id: str | None
    airflow_map_index: int | None
    airflow_try: int | None
    updated_at: datetime
    uri: str
    document_id: str
    raw: str | None = None


class ClassRow(NamedTuple):
    """Failures of one class in one stage; `retriable` counts those under the given recipes."""

    stage: str
    error_class: str
    segments: int
    retriable: int | None
    last_seen: datetime


class TrendRow(NamedTuple):
    """Number of failures in an hour, a day or a week."""

    stage: str
    error_class: str
    at: datetime
    results: int


class Failures(Part):
    """Failed segments, one by one and by class."""

    def newest(self, place: Place, limit: int, stage: str | None, error_class: str | None) -> Listed[FailureRow]:
        """One page of failures, newest first; None means any."""
        values = {"stage": stage, "error_class": error_class, **place.model_dump()}
        return listed(FailureRow, self._db.rows("console_failures", limit=limit + 1, **values), limit)

    def classes(self, which: PartitionRange, recipe_ids: Sequence[str]) -> list[ClassRow]:
        """Current failures by class, most frequent first."""
        return self._db.all(ClassRow, "console_failure_classes", recipe_ids=list(recipe_ids), **which._asdict())

    def trend(self, which: TimeRange) -> list[TrendRow]:
        """Failures by time, including those that a later try has fixed."""
        return self._db.all(TrendRow, "console_failure_trend", **which._asdict())
