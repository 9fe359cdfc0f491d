"""The search for documents, and the history of one document."""

import re
from collections import defaultdict
from collections.abc import Sequence

from pydantic import Field

from gem_tasks.console.place import cursor_of, read_cursor
from gem_tasks.domain.base import Value
from gem_tasks.domain.costs import known_total
from gem_tasks.errors import StoreError
from gem_tasks.lineage.api_findings import RecordedApiFinding
from gem_tasks.lineage.console import ConsoleRows
from gem_tasks.lineage.console.documents import DocumentRow, Spans, Version
from gem_tasks.lineage.console.listing import Listed
from gem_tasks.lineage.reports import RecordedDocument, RecordedOutcome, RecordedSegment, RecordedTrajectory
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.store import keys, shards

FAILED = "failed"
"""Status of documents with failed segments; other statuses are a reason, or empty for documents that were read."""
_WORDS = re.compile(r"[^\W_]+")
_MOST_WORDS = 12
_LONGEST_WORD = 100


class DocumentQuery(Value):
    """The documents to list."""

    q: str | None = None
    """Words of title or address, an address, or an id of any kind."""
    status: str | None = None
    source_id: int | None = None
    domain: str | None = None
    cursor: str | None = None
    limit: int = Field(default=50, ge=1, le=200)


class DocumentPage(Value):
    """One page of a list."""

    documents: tuple[DocumentRow, ...]
    next: str | None
    exact: bool = False
    """Whether `q` was an id or an address."""


class SegmentText(Value):
    """A segment with its text and its results."""

    segment_id: str
    partition: str
    shard: int
    start: int
    end: int
    place: str | None
    """Where it is in the file, such as `page 12`."""
    tokens: int
    text: str | None
    """None if the object no longer exists."""
    spans: Spans
    """Where in the text tools, steps and rules come from."""
    outcomes: tuple[RecordedOutcome, ...]
    trajectories: tuple[RecordedTrajectory, ...]
    api_findings: tuple[RecordedApiFinding, ...]


class DocumentLife(Value):
    """All facts about a document."""

    document: RecordedDocument
    versions: tuple[Version, ...]
    segments: tuple[SegmentText, ...]
    calls: int
    tokens: int
    usd: float | None


def documents(db: ConsoleRows, query: DocumentQuery) -> DocumentPage:
    """Documents, newest first; with words, those that contain all of them."""
    if query.q and not query.cursor and (exact := _exact(db, query.q.strip())):
        return DocumentPage(documents=tuple(_with_states(db, exact)), next=None, exact=True)
    found = _listed(db, query)
    unique = list({row.document_id: row for row in found.rows}.values())
    return DocumentPage(documents=tuple(_with_states(db, unique)), next=cursor_of(found.next))


def _listed(db: ConsoleRows, query: DocumentQuery) -> Listed[DocumentRow]:
    place, limit, source_id = read_cursor(query.cursor), query.limit, query.source_id
    if query.q and (words := to_words(query.q)):
        return Listed(db.documents.found(words, limit, source_id, query.status), None)
    if query.domain:
        return db.documents.of_domain(place, limit, source_id, query.domain)
    if query.status == FAILED:
        return db.documents.with_failures(place, limit, source_id)
    return db.documents.newest(place, limit, source_id, query.status)


def to_words(text: str) -> str:
    """A query for all of the words; the last one may be a prefix, because the user may still be typing."""
    words = [word.lower()[:_LONGEST_WORD] for word in _WORDS.findall(text)][:_MOST_WORDS]
    return f"{' & '.join(words)}:*" if words else ""


def _exact(db: ConsoleRows, text: str) -> list[DocumentRow]:
    return [] if " " in text or len(text) < 6 else db.documents.exactly(text)


def _with_states(db: ConsoleRows, rows: Sequence[DocumentRow]) -> list[DocumentRow]:
    states = db.documents.states([row.document_id for row in rows])
    return [
        row.model_copy(update={**state._asdict(), "calls": state.calls or 0})
        if (state := states.get(row.document_id))
        else row
        for row in rows
    ]


def document(db: ConsoleRows, work: Workspace, id_: str) -> DocumentLife | None:
    """The history of one document; None if the id is unknown."""
    life = db.reports.lineage(id_)
    if life is None:
        return None
    texts = _texts(work, life.document_id, {(segment.partition_key, segment.shard) for segment in life.segments})
    spans = db.documents.spans(life.document_id)
    outcomes = [outcome for segment in life.segments for outcome in segment.outcomes]
    return DocumentLife(
        document=RecordedDocument(**life.model_dump(exclude={"segments"})),
        versions=tuple(db.documents.versions(life.uri)),
        segments=tuple(_segment(segment, texts, spans) for segment in life.segments),
        calls=sum(outcome.calls for outcome in outcomes),
        tokens=sum(outcome.prompt_tokens + outcome.completion_tokens for outcome in outcomes),
        usd=known_total(outcome.usd for outcome in outcomes),
    )


def _segment(row: RecordedSegment, texts: dict[str, str], spans: dict[str, Spans]) -> SegmentText:
    return SegmentText(
        segment_id=row.segment_id,
        partition=row.partition_key,
        shard=row.shard,
        start=row.start_char,
        end=row.end_char,
        place=row.place,
        tokens=row.tokens,
        text=texts.get(row.segment_id),
        spans=spans.get(row.segment_id) or {},
        outcomes=row.outcomes,
        trajectories=row.trajectories,
        api_findings=row.api_findings,
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
