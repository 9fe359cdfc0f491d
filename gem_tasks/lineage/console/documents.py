"""Queries of the pages of documents: the search, and the facts about one document."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from gem_tasks.domain.base import Value
from gem_tasks.lineage.connection import Part
from gem_tasks.lineage.console.listing import Listed, Place, listed

_NEWEST = 3000
"""Number of the newest documents that a search scans; a frequent word fills a page with these alone."""
_FOUND = 500
"""Maximum number of matches from the index, each of which is a random read from disk."""


class Source(Value):
    """A registered source."""

    source_id: int
    uri: str


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


class DocumentState(NamedTuple):
    """The state of a document's segments."""

    document_id: str
    segments: int
    trajectories: int
    failed: int
    usd: float | None
    calls: int | None


class Version(Value):
    """One version of the document at an address."""

    document_id: str
    partition: str
    content_hash: str
    etag: str
    chars: int
    reason: str | None
    ingested_at: datetime


Spans = dict[str, tuple[int, int]]
"""Positions in a text that tools, steps and rules come from."""


class Documents(Part):
    """Searches for documents; `source_id` None means any source."""

    def sources(self) -> list[Source]:
        """All registered sources."""
        return self._db.all(Source, "console_sources")

    def newest(self, place: Place, limit: int, source_id: int | None, reason: str | None) -> Listed[DocumentRow]:
        """Documents, newest first; `reason` is empty for documents with segments."""
        return self._listed("console_documents", place, limit, source_id=source_id, reason=reason)

    def of_domain(self, place: Place, limit: int, source_id: int | None, domain: str) -> Listed[DocumentRow]:
        """Documents with published trajectories of a domain, one row per trajectory."""
        return self._listed("console_documents_of_domain", place, limit, source_id=source_id, domain=domain)

    def with_failures(self, place: Place, limit: int, source_id: int | None) -> Listed[DocumentRow]:
        """Documents with failed segments, one row per failure."""
        return self._listed("console_documents_with_failures", place, limit, source_id=source_id)

    def found(self, words: str, limit: int, source_id: int | None, reason: str | None) -> list[DocumentRow]:
        """Documents whose title or address contains the words of a `tsquery`, among the newest or all."""
        values = {"words": words, "limit": limit, "source_id": source_id, "reason": reason}
        rows = self._db.rows("console_newest_found", newest=_NEWEST, **values)
        if len(rows) < limit:
            with self._db.transaction():
                self._db.run("console_search_plan")
                rows = self._db.rows("console_documents_found", most=_FOUND, **values)
        return listed(DocumentRow, rows, limit).rows

    def exactly(self, id_: str) -> list[DocumentRow]:
        """The document of an id of any kind, or of an address."""
        kept = set(DocumentRow.model_fields)
        return [
            DocumentRow(partition=row["partition_key"], **{name: row[name] for name in kept & row.keys()})
            for row in self._db.rows("find_document", id=id_)
        ]

    def states(self, ids: Sequence[str]) -> dict[str, DocumentState]:
        """States by document id; omits documents without segments."""
        return {state.document_id: state for state in self._db.all(DocumentState, "console_states", ids=list(ids))}

    def versions(self, uri: str) -> list[Version]:
        """Versions of the document at an address, newest first."""
        return self._db.all(Version, "console_versions", uri=uri)

    def spans(self, document_id: str) -> dict[str, Spans]:
        """Spans by segment, of all of its conversations."""
        found: defaultdict[str, Spans] = defaultdict(dict)
        for row in self._db.rows("console_spans", document_id=document_id):
            found[row["segment_id"]].update(row["spans"])
        return dict(found)

    def _listed(self, query: str, place: Place, limit: int, **which: object) -> Listed[DocumentRow]:
        return listed(DocumentRow, self._db.rows(query, limit=limit + 1, **place.model_dump(), **which), limit)
