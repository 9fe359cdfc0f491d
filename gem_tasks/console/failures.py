"""Failures by class and stage with their trend, and the newest failures with the raw answers."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from pydantic import Field

from gem_tasks.console.overview import times
from gem_tasks.console.place import cursor_of, read_cursor
from gem_tasks.console.span import Filters
from gem_tasks.domain.base import Value
from gem_tasks.errors import StoreError
from gem_tasks.lineage.console import ConsoleRows
from gem_tasks.lineage.console.failures import FailureRow
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.store import shards


class FailureQuery(Value):
    """The failures to list."""

    stage: str | None = None
    error_class: str | None = None
    raw: bool = False
    """Include the models' last answers, which come from the store."""
    cursor: str | None = None
    limit: int = Field(default=25, ge=1, le=100)


class FailureClass(Value):
    """The failures of one class in one stage."""

    stage: str
    error_class: str
    segments: int
    retriable: int
    """Number of failures under the current recipes, which a retry would request again."""
    last_seen: datetime
    trend: tuple[int, ...] = ()
    """Number of failures per hour, day or week."""


class FailurePage(Value):
    """Classes, and one page of the list."""

    classes: tuple[FailureClass, ...]
    failures: tuple[FailureRow, ...]
    next: str | None


def failures(
    db: ConsoleRows, work: Workspace, filters: Filters, query: FailureQuery, current: Sequence[str]
) -> FailurePage:
    """Classes within the range; the list covers all times."""
    found = db.failures.newest(read_cursor(query.cursor), query.limit, query.stage, query.error_class)
    shown = _with_raw(work, found.rows) if query.raw else found.rows
    return FailurePage(classes=tuple(classes(db, filters, current)), failures=tuple(shown), next=cursor_of(found.next))


def classes(db: ConsoleRows, filters: Filters, current: Sequence[str]) -> list[FailureClass]:
    """Classes of failures, most frequent first."""
    trend: defaultdict[tuple[str, str], dict[datetime, int]] = defaultdict(dict)
    for row in db.failures.trend(filters.series):
        trend[row.stage, row.error_class][row.at] = row.results
    axis = times({at: None for found in trend.values() for at in found}, filters.step)
    return [
        FailureClass(
            stage=row.stage,
            error_class=row.error_class,
            segments=row.segments,
            retriable=row.retriable or 0,
            last_seen=row.last_seen,
            trend=tuple(trend[row.stage, row.error_class].get(at, 0) for at in axis),
        )
        for row in db.failures.classes(filters.partitions, current)
    ]


def _with_raw(work: Workspace, rows: Sequence[FailureRow]) -> list[FailureRow]:
    data = {row.object_key: _fetch(work, row.object_key) for row in rows}
    return [row.model_copy(update={"raw": _raw(data[row.object_key], row.segment_id)}) for row in rows]


def _fetch(work: Workspace, key: str) -> bytes | None:
    try:
        return work.fetch(key)
    except StoreError:
        return None


def _raw(data: bytes | None, segment_id: str) -> str | None:
    try:
        found = shards.find_outcome(data, segment_id) if data else None
    except StoreError:
        return None
    return found.raw if found else None
