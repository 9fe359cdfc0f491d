"""Dataset versions, with facts to know before training, audits, models and their scores."""

from pydantic import ValidationError

from gem_tasks.console.place import cursor_of, read_cursor
from gem_tasks.domain.base import Json, Value
from gem_tasks.domain.realised import Realised
from gem_tasks.lineage.console import ConsoleRows
from gem_tasks.lineage.console.datasets import AuditRow, DatasetManifest, DatasetRow, Exclusion

PAPER_MEANS = {
    "draft": {"messages": 30.05, "tools": 5.01, "calls": 7.83},
    "refined": {"messages": 46.1, "tools": 8.6, "calls": 16.3},
}
"""Means per trajectory that the paper reports, before and after refinement."""


class DatasetPage(Value):
    """One page of a list."""

    datasets: tuple[DatasetRow, ...]
    next: str | None


class Dataset(DatasetManifest):
    """One version."""

    exclusions: tuple[Exclusion, ...]
    audits: tuple[AuditRow, ...]
    realised: Realised | None
    """What conversations really are; None if the version was made before it was counted, or by a newer GEM."""


def datasets(db: ConsoleRows, current: bool, cursor: str | None, limit: int) -> DatasetPage:
    """Versions, newest first."""
    found = db.datasets.newest(read_cursor(cursor), limit, current=current)
    return DatasetPage(datasets=tuple(found.rows), next=cursor_of(found.next))


def dataset(db: ConsoleRows, version: str) -> Dataset | None:
    """One version; None if it does not exist."""
    found = db.datasets.one(version)
    if found is None:
        return None
    return Dataset(
        **found.model_dump(),
        exclusions=tuple(db.datasets.exclusions(version)),
        audits=tuple(db.datasets.audits(version)),
        realised=_realised(found.manifest),
    )


def _realised(manifest: Json) -> Realised | None:
    diversity: Json = manifest.get("diversity") or {}
    given: Json | None = diversity.get("realised")
    try:
        return Realised.model_validate(given) if given else None
    except ValidationError:
        return None
