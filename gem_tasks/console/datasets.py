"""Dataset versions with what a person should know before training, audits, models and their scores."""

from datetime import datetime
from typing import Any

from gem_tasks.console.place import Place, next_cursor, plain
from gem_tasks.domain.base import Json, Value
from gem_tasks.lineage.console import ConsoleRows

PAPER_MEANS = {
    "draft": {"messages": 30.05, "tools": 5.01, "calls": 7.83},
    "refined": {"messages": 46.1, "tools": 8.6, "calls": 16.3},
}
"""Means per trajectory that the paper reports, before and after refinement."""


class DatasetRow(Value):
    """A version in a list."""

    version: str
    partition: str
    recipe_id: str
    trajectories: int
    superseded_by: str | None
    audited_by: str | None
    created_at: datetime
    teacher: dict[str, str]
    means: dict[str, dict[str, float]]
    contamination: dict[str, Any]
    excluded: dict[str, int]


class AuditRow(Value):
    """An audit, and how far it is."""

    audit_id: str
    population: int
    versions: tuple[str, ...]
    drawn_at: datetime
    airflow_run_id: str | None
    items: int
    rated: int


class DatasetPage(Value):
    """Part of a list."""

    datasets: tuple[DatasetRow, ...]
    next: str | None


class Exclusion(Value):
    """A trajectory that a version leaves out."""

    segment_id: str
    reason: str
    detail: str


class Dataset(Value):
    """One version."""

    version: str
    partition: str
    recipe_id: str
    trajectories: int
    superseded_by: str | None
    audited_by: str | None
    created_at: datetime
    manifest: Json
    exclusions: tuple[Exclusion, ...]
    audits: tuple[AuditRow, ...]


def datasets(db: ConsoleRows, current: bool, cursor: str | None, limit: int) -> DatasetPage:
    """Versions, the newest first."""
    place = Place.read(cursor)
    rows = db.rows("console_datasets", current=current, at=place.at, id=place.id, limit=limit + 1)
    shown = [DatasetRow.model_validate({**plain(row), **_empty(row)}) for row in rows[:limit]]
    return DatasetPage(datasets=tuple(shown), next=next_cursor(rows, limit))


def _empty(row: dict[str, Any]) -> dict[str, Any]:
    """What manifests of older versions lack."""
    return {name: row[name] or {} for name in ("teacher", "means", "contamination", "excluded")}


def dataset(db: ConsoleRows, version: str) -> Dataset | None:
    """One version; None if there is none of that name."""
    rows = db.rows("console_dataset", version=version)
    if not rows:
        return None
    exclusions = db.rows("console_exclusions", version=version)
    return Dataset(
        **rows[0],
        exclusions=tuple(Exclusion.model_validate(row) for row in exclusions),
        audits=tuple(audits(db, version)),
    )


def audits(db: ConsoleRows, version: str | None) -> list[AuditRow]:
    """The newest, of a version or of all."""
    return [AuditRow.model_validate(row) for row in db.rows("console_audits", version=version)]
