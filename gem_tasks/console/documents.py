"""Documents: the search, and one document's whole life."""

import re
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pydantic import Field

from gem_tasks.console.place import Place, next_cursor, plain
from gem_tasks.domain.base import Value
from gem_tasks.errors import StoreError
from gem_tasks.lineage.connection import Row
from gem_tasks.lineage.console import ConsoleRows
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.store import keys, shards

FAILED = "failed"
"""The status of documents with failed segments; every other one is a reason, or empty for documents that were read."""
_WORDS = re.compile(r"[^\W_]+")
_MOST_WORDS = 12
_LONGEST_WORD = 100


class Source(Value):
    """Where documents come from."""

    source_id: int
    uri: str


class DocumentQuery(Value):
    """What to list."""

    q: str | None = None
    """Words of title or address, an address, or an id of anything."""
    status: str | None = None
    source_id: int | None = None
    domain: str | None = None
    cursor: str | None = None
    limit: int = Field(default=50, ge=1, le=200)


class DocumentRow(Value):
    """A document in a list."""

    document_id: str
    uri: str
    title: str | None
    license: str | None
    language: str | None
    chars: int
    reason: str | None
    partition: str
    ingested_at: datetime
    segments: int = 0
    trajectories: int = 0
    failed: int = 0
    calls: int = 0
    usd: float | None = None


class DocumentPage(Value):
    """Part of a list."""

    documents: tuple[DocumentRow, ...]
    next: str | None
    exact: bool = False
    """Whether `q` was an id or an address."""


class SegmentText(Value):
    """A segment with its text and what came of it."""

    segment_id: str
    partition: str
    shard: int
    start: int
    end: int
    tokens: int
    text: str | None
    """None when the object is gone."""
    spans: dict[str, tuple[int, int]]
    """Where in the text tools, steps and rules come from."""
    outcomes: tuple[dict[str, Any], ...]
    trajectories: tuple[dict[str, Any], ...]


class Version(Value):
    """One version of what lay at an address."""

    document_id: str
    partition: str
    content_hash: str
    etag: str
    chars: int
    reason: str | None
    ingested_at: datetime


class DocumentLife(Value):
    """Everything that is known of a document."""

    document: dict[str, Any]
    versions: tuple[Version, ...]
    segments: tuple[SegmentText, ...]
    calls: int
    tokens: int
    usd: float | None


def sources(db: ConsoleRows) -> list[Source]:
    """All registered ones."""
    return [Source.model_validate(row) for row in db.rows("console_sources")]


def documents(db: ConsoleRows, query: DocumentQuery) -> DocumentPage:
    """The newest first; with words, those that have them all."""
    if query.q and not query.cursor and (exact := _exact(db, query.q.strip())):
        return DocumentPage(documents=tuple(_with_states(db, exact)), next=None, exact=True)
    rows = _rows(db, query)
    unique = list({row["document_id"]: row for row in rows[: query.limit]}.values())
    return DocumentPage(documents=tuple(_with_states(db, unique)), next=next_cursor(rows, query.limit))


def _rows(db: ConsoleRows, query: DocumentQuery) -> list[Row]:
    place = Place.read(query.cursor)
    given = {"source_id": query.source_id, "limit": query.limit + 1, "at": place.at, "id": place.id}
    if query.q and (words := to_words(query.q)):
        rest = {"source_id": query.source_id, "reason": query.status}
        return db.found_documents(words=words, limit=query.limit, **rest)
    if query.domain:
        return db.rows("console_documents_of_domain", domain=query.domain, **given)
    if query.status == FAILED:
        return db.rows("console_documents_with_failures", **given)
    return db.rows("console_documents", reason=query.status, **given)


def to_words(text: str) -> str:
    """A query for all of the words, the last one as a beginning: somebody may still be typing it."""
    words = [word.lower()[:_LONGEST_WORD] for word in _WORDS.findall(text)][:_MOST_WORDS]
    return f"{' & '.join(words)}:*" if words else ""


def _exact(db: ConsoleRows, text: str) -> list[Row]:
    if " " in text or len(text) < 6:
        return []
    names = DocumentRow.model_fields
    found = db.rows("find_document", id=text)
    return [{**{name: row[name] for name in names if name in row}, "partition": row["partition_key"]} for row in found]


def _with_states(db: ConsoleRows, rows: Sequence[Row]) -> list[DocumentRow]:
    found = db.rows("console_states", ids=[row["document_id"] for row in rows])
    states = {row["document_id"]: row for row in found}
    return [DocumentRow.model_validate({**plain(row), **_state(states.get(row["document_id"]))}) for row in rows]


def _state(row: Row | None) -> dict[str, Any]:
    return {**row, "calls": row["calls"] or 0} if row else {}


def document(db: ConsoleRows, work: Workspace, id_: str) -> DocumentLife | None:
    """One document's life; None if the id is of nothing."""
    life = db.reports.lineage(id_)
    if life is None:
        return None
    found: list[dict[str, Any]] = life.pop("segments")
    key = life["document_id"]
    texts = _texts(work, key, {(segment["partition_key"], segment["shard"]) for segment in found})
    spans = {row["segment_id"]: row["spans"] for row in db.rows("console_spans", document_id=key)}
    segments = [_segment(segment, texts, spans) for segment in found]
    outcomes = [outcome for segment in segments for outcome in segment.outcomes]
    priced = [outcome["usd"] for outcome in outcomes if outcome["usd"] is not None]
    return DocumentLife(
        document=life,
        versions=tuple(Version.model_validate(row) for row in db.rows("console_versions", uri=life["uri"])),
        segments=tuple(segments),
        calls=sum(outcome["calls"] for outcome in outcomes),
        tokens=sum(outcome["prompt_tokens"] + outcome["completion_tokens"] for outcome in outcomes),
        usd=sum(priced) if priced else None,
    )


def _segment(row: Row, texts: dict[str, str], spans: dict[str, Any]) -> SegmentText:
    return SegmentText(
        segment_id=row["segment_id"],
        partition=row["partition_key"],
        shard=row["shard"],
        start=row["start_char"],
        end=row["end_char"],
        tokens=row["tokens"],
        text=texts.get(row["segment_id"]),
        spans=spans.get(row["segment_id"]) or {},
        outcomes=tuple(row["outcomes"]),
        trajectories=tuple(row["trajectories"]),
    )


def _texts(work: Workspace, document_id: str, places: set[tuple[str, int]]) -> dict[str, str]:
    found: defaultdict[str, str] = defaultdict(str)
    for partition, shard in places:
        try:
            data = work.fetch(keys.segments_key(partition, shard))
            found |= {segment.segment_id: segment.text for segment in shards.find_segments(data, document_id)}
        except StoreError:
            continue
    return dict(found)
