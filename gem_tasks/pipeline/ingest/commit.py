"""Commits prepared documents to a partition: writes new ones to the object store, then to Postgres in one transaction.

A commit holds whole documents with all their shards. It also settles objects that were read to their end: documents
that were superseded, removed or restored change in the same transaction. A crash loses up to one commit, which GEM
then reads again.

Comparing and committing happen under one lock, so two runs never ingest the same text as new twice, even in different
partitions. Postgres hands out each shard number once: if a run loses its connection and keeps writing, its objects are
referenced nowhere.
"""

import logging
from collections.abc import Sequence

from gem_tasks.corpus.near import Signature
from gem_tasks.domain.base import Value
from gem_tasks.domain.corpus import Document, IngestReason, Segment
from gem_tasks.lineage import Ledger, ReadObject, Settled
from gem_tasks.lineage.text import storable
from gem_tasks.pipeline.ingest.near_duplicates import Marked, mark
from gem_tasks.pipeline.ingest.prepare import Prepared
from gem_tasks.pipeline.ingest.shard_sizes import characters, divided, is_full
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.store import keys, shards

logger = logging.getLogger(__name__)

Seen = tuple[str, str, str]
"""Document id, object, URI."""
_KEY_BYTES = 2000
_MOST_SEEN = 5000


class Ended(Value):
    """An object that was read as far as possible."""

    read: ReadObject
    broken: bool
    """Whether reading failed before its end: documents that were not found in it may still exist."""

    @property
    def recorded(self) -> bool:
        """Whether Postgres can store its name. Other objects are read every time, and never count as missing."""
        name = self.read.key
        return len(name.encode("utf-8", "surrogatepass")) <= _KEY_BYTES and storable(name) == name


class Counts(Value):
    """Totals of the commits so far."""

    unchanged: int = 0
    rejected: int = 0
    segments: int = 0
    near_duplicates: int = 0
    shards: int = 0


class Commits:
    """Collects prepared documents and writes them in batches.

    Attributes:
        counts: totals so far.
        settled: what happened to earlier documents so far.
    """

    def __init__(self, work: Workspace, ledger: Ledger, source_id: int, partition: str) -> None:
        self._work, self._ledger, self._source_id, self._partition = work, ledger, source_id, partition
        self._waiting: list[Prepared] = []
        self._segments = self._characters = 0
        self._seen: list[Seen] = []
        self._ended: list[Ended] = []
        self._reached = ""
        self.counts, self.settled = Counts(), Settled()
        ledger.versions.begin_seen()

    def add(self, found: Sequence[Prepared], same: Sequence[Seen], ended: Sequence[Ended], reached: str) -> None:
        """Adds documents that were read; writes them once a commit is full.

        Args:
            found: documents that may be new.
            same: documents that are already known with exactly the same content.
            ended: objects whose last document is among these.
            reached: the last object that the scan has covered with them; empty in the middle of an object.
        """
        self._waiting += found
        self._seen += same
        self._ended += ended
        self._reached = reached or self._reached
        self._count(unchanged=len(same))
        cut = [segment for each in found for segment in each.segments]
        self._segments += len(cut)
        self._characters += characters(cut)
        full = is_full(self._segments, self._characters, self._work.settings)
        if full or len(self._seen) + len(self._waiting) >= _MOST_SEEN:
            self.flush()
        elif self._reached and not (self._waiting or self._seen or self._ended):
            self._ledger.sources.scan_position(self._source_id, self._reached)

    def flush(self) -> None:
        """Writes all collected documents."""
        if not (self._waiting or self._seen or self._ended):
            return
        ledger, settings = self._ledger, self._work.settings
        with ledger.locks.ingest(), ledger.retention.writing():
            documents, segments, signed = self._new()
            marked = mark(ledger, segments, signed, settings.near_duplicate)
            parts = list(divided(marked.segments, settings))
            first = ledger.ingestion.reserve_shards(self._partition, len(parts)) if parts else 0
            numbered = dict(enumerate(parts, start=first))
            for number, part in numbered.items():
                self._work.store.put(keys.segments_key(self._partition, number), shards.encode_segments(part))
            self._commit(documents, numbered, marked)
        self._count(
            rejected=sum(document.reason is not None for document in documents),
            segments=len(segments),
            near_duplicates=len(marked.duplicates),
            shards=len(numbered),
        )
        self._waiting, self._seen, self._ended = [], [], []
        self._segments = self._characters = 0

    def _commit(self, documents: list[Document], numbered: dict[int, list[Segment]], marked: Marked) -> None:
        ledger = self._ledger
        with ledger.transaction():
            if documents:
                ledger.ingestion.commit_ingest(self._partition, self._source_id, documents, numbered)
                signatures = {segment: (signed.digest, signed.bands) for segment, signed in marked.signatures.items()}
                ledger.near_duplicates.insert_signatures(signatures)
                ledger.near_duplicates.insert(marked.duplicates)
            ledger.versions.saw(self._seen)
            ledger.sources.upsert_objects(self._source_id, [each.read for each in self._ended if each.recorded])
            complete = [each.read.key for each in self._ended if not each.broken]
            broken = [each.read.key for each in self._ended if each.broken]
            if self._ended:
                self.settled += ledger.versions.settle(complete, broken)
            if self._reached:
                ledger.sources.scan_position(self._source_id, self._reached)

    def _new(self) -> tuple[list[Document], list[Segment], list[Signature]]:
        """The collected documents to record, with the segments of those that have some."""
        documents: list[Document] = []
        segments: list[Segment] = []
        signed: list[Signature] = []
        known = self._ledger.ingestion.known_documents([each.document.document_id for each in self._waiting])
        owners = self._owners()
        for document, cut, signatures in self._waiting:
            key = document.document_id
            self._seen.append((key, document.object_key or document.uri, document.uri))
            if key in known and not (known[key] and document.content_hash not in owners):
                self._count(unchanged=1)
                continue
            known[key] = False  # the same record may occur twice in one file
            if document.reason is None and owners.setdefault(document.content_hash, key) != key:
                owner = owners[document.content_hash]
                update = {"reason": IngestReason.DUPLICATE, "detail": f"same text as document {owner}"}
                document = document.model_copy(update=update)
            if document.reason is None:
                segments += cut
                signed += signatures
            else:
                logger.info("%s: no segments (%s) %s", document.uri, document.reason, document.detail)
            documents.append(document)
        return documents, segments, signed

    def _owners(self) -> dict[str, str]:
        """Maps content hash to the live document that has it."""
        hashes = {each.document.content_hash for each in self._waiting if each.document.reason is None}
        return self._ledger.ingestion.first_with_hash(hashes)

    def _count(self, **more: int) -> None:
        mine = self.counts.model_dump()
        self.counts = Counts(**{name: count + more.get(name, 0) for name, count in mine.items()})
