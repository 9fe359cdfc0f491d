"""Records ratings. Each one decides again whether the audit's dataset versions are marked as audited."""

import csv
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import cast

from pydantic import ValidationError

from gem_tasks.audit.verdict import Report, report
from gem_tasks.domain.audit import Audit, AuditItem, Rating
from gem_tasks.domain.base import Json
from gem_tasks.errors import UserError
from gem_tasks.pipeline.workspace import Workspace


def rate(work: Workspace, audit: Audit, ratings: Sequence[Rating]) -> Report:
    """Records ratings and updates the audit marks of versions, in one transaction.

    Raises:
        UserError: an item was not drawn for this audit, or is rated twice by the same person.
    """
    _refuse(work, audit, ratings)
    with work.ledger() as ledger, ledger.transaction():
        ledger.audits.lock(audit.audit_id)
        ledger.audits.upsert_ratings(audit.audit_id, ratings)
        found = report(audit, ledger.audits.ratings(audit.audit_id))
        ledger.audits.mark_versions(audit, found.passed)
    return found


def so_far(work: Workspace, audit: Audit) -> Report:
    """Summarises the ratings so far."""
    with work.ledger() as ledger:
        return report(audit, ledger.audits.ratings(audit.audit_id))


def unrated(work: Workspace, audit: Audit, rater: str) -> list[AuditItem]:
    """The items that this person has not rated yet, in order."""
    with work.ledger() as ledger:
        done = {rating.item_id for rating in ledger.audits.ratings(audit.audit_id) if rating.rater == rater}
        return [item for item in ledger.audits.items(audit.audit_id) if item.item_id not in done]


def read_ratings(path: Path, rater: str | None) -> list[Rating]:
    """Ratings from a CSV file with a header, or JSON lines, with the fields of `Rating`.

    Args:
        path: ends in `.csv`, or holds JSON lines.
        rater: the rater of rows that name none.

    Raises:
        UserError: a line is not a rating; the message names file, line and field.
    """
    found: list[Rating] = []
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = _csv(file) if path.suffix.lower() == ".csv" else _json(file)
            for line, row in rows:
                found.append(_rating(path, line, row, rater))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{path} cannot be read: {error}", "Give a CSV or JSONL file in UTF-8.") from error
    return found


def _refuse(work: Workspace, audit: Audit, ratings: Sequence[Rating]) -> None:
    with work.ledger() as ledger:
        known = {item.item_id for item in ledger.audits.items(audit.audit_id)}
    seen: set[tuple[str, str]] = set()
    for rating in ratings:
        key = (rating.item_id, rating.rater)
        if rating.item_id not in known:
            cause = f"{rating.item_id!r} was not drawn for audit {audit.audit_id}"
            raise UserError(cause, "`gem audit items` lists the drawn items.")
        if key in seen:
            raise UserError(f"{rating.rater} rates {rating.item_id} twice", "Keep one of these ratings.")
        seen.add(key)


def _csv(file: Iterator[str]) -> Iterator[tuple[int, Json]]:
    reader = csv.DictReader(file)
    for row in reader:
        yield reader.line_num, {name: value for name, value in row.items() if name and value not in (None, "")}


def _json(file: Iterator[str]) -> Iterator[tuple[int, object]]:
    for number, line in enumerate(file, 1):
        if line.strip():
            try:
                yield number, json.loads(line)
            except json.JSONDecodeError:
                yield number, line


def _rating(path: Path, line: int, row: object, rater: str | None) -> Rating:
    if not isinstance(row, dict):
        raise UserError(f"{path}, line {line}: not a JSON object", "Write one object per line.")
    try:
        # The file may also contain the output of `gem audit items`: only the fields of ratings are read.
        given = {name: value for name, value in cast("Json", row).items() if name in Rating.model_fields}
        return Rating.model_validate(({"rater": rater} if rater else {}) | given)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "row"
        raise UserError(
            f"{path}, line {line}, {field}: {first['msg']}",
            "Fields: item_id, rater, coherence, tools, faithfulness (1 to 5), comment.",
        ) from None
