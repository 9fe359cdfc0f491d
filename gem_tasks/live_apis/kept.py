"""Reports in the object store, one for each description and mode: a new run replaces the earlier one."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime

from pydantic import ValidationError

from gem_tasks.domain.base import Value
from gem_tasks.errors import StoreError, first_line
from gem_tasks.live_apis.figures import CallOutcome, Report
from gem_tasks.ports import ObjectStore

_FOLDER = "api-reports/"
_ID = re.compile(r"[0-9a-f]{16}-(dry-run|sandbox)", re.ASCII)
_EXAMPLES = 3


class KeptReport(Value):
    """A report with its time."""

    made_at: datetime
    report: Report

    @property
    def id(self) -> str:
        """Part of its address."""
        return f"{self.report.sha256[:16]}-{self.report.mode}"


def keep(store: ObjectStore, report: Report) -> None:
    """Saves a report, of its calls only examples: the first three of each cause that differ.

    Raises:
        StoreError: the store cannot be written.
    """
    short = report.model_copy(update={"outcomes": tuple(_examples(report.outcomes))})
    kept = KeptReport(made_at=datetime.now(UTC), report=short)
    text = json.dumps(kept.model_dump(), ensure_ascii=False, default=str)
    store.put(f"{_FOLDER}{kept.id}.json", text.encode(errors="replace"))  # half a surrogate pair may be in a detail


def kept_reports(store: ObjectStore) -> tuple[list[KeptReport], str]:
    """All reports, from newest to oldest, and a line about those that cannot be read; "" if all can."""
    found: list[KeptReport] = []
    faults: list[str] = []
    try:
        for key in store.list(_FOLDER):
            try:
                found.append(_read(store, key))
            except KeyError:
                continue  # deleted meanwhile
            except (StoreError, ValidationError) as error:
                faults.append(f"{key}: {first_line(error)}")
    except StoreError as error:
        faults.append(first_line(error))
    line = f"Reports that cannot be read: {len(faults)}. The first: {faults[0]}" if faults else ""
    return sorted(found, key=lambda kept: kept.made_at, reverse=True), line


def kept_report(store: ObjectStore, report_id: str) -> KeptReport | None:
    """The report of an id; None if there is none, or if another version of GEM wrote it and this one cannot read it.

    Raises:
        StoreError: the store cannot be read.
    """
    try:
        return _read(store, f"{_FOLDER}{report_id}.json") if _ID.fullmatch(report_id) else None
    except (KeyError, ValidationError):
        return None


def _read(store: ObjectStore, key: str) -> KeptReport:
    return KeptReport.model_validate_json(store.get(key))


def _examples(outcomes: tuple[CallOutcome, ...]) -> Iterator[CallOutcome]:
    seen: dict[str, set[str]] = {}
    for each in outcomes:
        details = seen.setdefault(each.reason, set())
        if each.reason and not each.meant_to_fail and len(details) < _EXAMPLES and each.detail not in details:
            details.add(each.detail)
            yield each
