"""Queries of the page of datasets: versions, their exclusions, audits."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import BeforeValidator

from gem_tasks.domain.base import Json, Value
from gem_tasks.lineage.connection import Part
from gem_tasks.lineage.console.listing import Listed, Place, listed

_Empty = BeforeValidator(lambda found: found or {})
"""Manifests of older versions lack some fields."""


class DatasetRow(Value):
    """A version in a list."""

    version: str
    partition: str
    recipe_id: str
    trajectories: int
    superseded_by: str | None
    audited_by: str | None
    created_at: datetime
    teacher: Annotated[dict[str, str], _Empty]
    means: Annotated[dict[str, dict[str, float]], _Empty]
    contamination: Annotated[dict[str, Any], _Empty]
    excluded: Annotated[dict[str, int], _Empty]


class DatasetManifest(Value):
    """A version with its manifest."""

    version: str
    partition: str
    recipe_id: str
    trajectories: int
    superseded_by: str | None
    audited_by: str | None
    created_at: datetime
    manifest: Json


class Exclusion(Value):
    """A trajectory that a version excludes."""

    segment_id: str
    reason: str
    detail: str


class AuditRow(Value):
    """An audit with its progress."""

    audit_id: str
    population: int
    versions: tuple[str, ...]
    drawn_at: datetime
    airflow_run_id: str | None
    items: int
    rated: int


class Datasets(Part):
    """Versions of datasets."""

    def newest(self, place: Place, limit: int, *, current: bool) -> Listed[DatasetRow]:
        """One page of versions, newest first; all, or only those that are not superseded."""
        rows = self._db.rows("console_datasets", current=current, limit=limit + 1, **place.model_dump())
        return listed(DatasetRow, rows, limit)

    def one(self, version: str) -> DatasetManifest | None:
        """A version by name."""
        return self._db.first(DatasetManifest, "console_dataset", version=version)

    def exclusions(self, version: str) -> list[Exclusion]:
        """The first hundred exclusions of a version."""
        return self._db.all(Exclusion, "console_exclusions", version=version)

    def audits(self, version: str | None) -> list[AuditRow]:
        """The newest audits, of a version or of all."""
        return self._db.all(AuditRow, "console_audits", version=version)
