"""Source to segments: read, normalise, leave out what is known or doubled, cut, write shards, record everything.

A commit holds whole documents, and all of a document's shards are in it: a document that Postgres knows is complete,
so a crash costs at most one batch, which the retry reads again.
"""

import logging
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

from gem_tasks.corpus.normalise import Normalised, normalise
from gem_tasks.corpus.readers import read
from gem_tasks.corpus.segment import segment
from gem_tasks.corpus.sources import list_objects
from gem_tasks.domain.base import Value
from gem_tasks.domain.corpus import Document, IngestReason, RawDocument, Segment
from gem_tasks.lineage import Ledger
from gem_tasks.pipeline.near_duplicates import mark
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.store import keys, shards

logger = logging.getLogger(__name__)

_T = TypeVar("_T")
_BATCH_DOCUMENTS = 256


class IngestReport(Value):
    """What a task returns."""

    source: str
    partition: str
    documents: int = 0
    """Read from the source, after the limit."""
    unchanged: int = 0
    """Known from an earlier run with the same content."""
    rejected: int = 0
    """New, but without segments; the reason is on the document."""
    segments: int = 0
    near_duplicates: int = 0
    """Segments that nearly repeat an earlier one; they are among `segments`."""
    shards: int = 0


def sources(work: Workspace, source: str | None) -> list[str]:
    """The one source of this run, or all that are registered."""
    if source:
        return [source]
    with work.ledger() as ledger:
        return ledger.sources()


def ingest(work: Workspace, source: str, partition: str, limit: int | None = None) -> IngestReport:
    """Adds what is new in a source to a partition. Safe to repeat and to run twice at once.

    Args:
        work: where to.
        source: a file, a directory, or `s3://bucket/prefix`.
        partition: key of the partition that new segments go to.
        limit: look at the first so many documents only.

    Raises:
        UserError: the source does not exist or cannot be read.
    """
    report = IngestReport(source=source, partition=partition)
    with work.ledger() as ledger, ledger.partition_lock(partition):
        source_id = ledger.register_source(source)
        batch = _Batch(work, ledger, source_id, partition)
        for raws in _batches(islice(_raw_documents(work, source), limit), _BATCH_DOCUMENTS):
            report = batch.add(raws, report)
        return batch.flush(report)


def _raw_documents(work: Workspace, source: str) -> Iterator[RawDocument]:
    limit_bytes = int(work.settings.document_max_mb * 1_000_000)
    for found in list_objects(source):
        yield from read(found, limit_bytes)


class _Batch:
    """Documents and segments that wait to be written together."""

    def __init__(self, work: Workspace, ledger: Ledger, source_id: int, partition: str) -> None:
        self.work, self.ledger = work, ledger
        self.source_id, self.partition = source_id, partition
        self.documents: list[Document] = []
        self.segments: list[Segment] = []

    def add(self, raws: list[RawDocument], report: IngestReport) -> IngestReport:
        """Normalises a batch, leaves out what is known, cuts the rest, and writes shards that are full."""
        settings = self.work.settings
        found = [normalise(raw, settings.segment_min_chars) for raw in raws]
        known = self.ledger.known_documents([item.document.document_id for item in found])
        new = [item for item in found if item.document.document_id not in known]
        rejected = 0
        for document, text in _mark_duplicates(self.ledger, self.documents, new):
            self.documents.append(document)
            rejected += document.reason is not None
            if document.reason is None:
                cut = segment(text, document, settings.segment_target_tokens, settings.segment_max_tokens)
                self.segments.extend(cut)
            else:
                logger.info("%s: no segments (%s) %s", document.uri, document.reason, document.detail)
        report = report.model_copy(
            update={
                "documents": report.documents + len(raws),
                "unchanged": report.unchanged + len(raws) - len(new),
                "rejected": report.rejected + rejected,
            }
        )
        return self.flush(report) if len(self.segments) >= settings.shard_segments else report

    def flush(self, report: IngestReport) -> IngestReport:
        """Writes the waiting segments as shards, then commits them with their documents in one transaction."""
        settings, first = self.work.settings, self.ledger.next_shard(self.partition)
        marked = mark(self.ledger, self.segments, settings.near_duplicate)
        numbered = dict(enumerate(_batches(marked.segments, settings.shard_segments), start=first))
        with self.ledger.writing():
            for number, segments in numbered.items():
                self.work.store.put(keys.segments_key(self.partition, number), shards.encode_segments(segments))
            with self.ledger.transaction():
                self.ledger.commit_ingest(self.partition, self.source_id, self.documents, numbered)
                self.ledger.insert_signatures(
                    {segment: (signed.digest, signed.bands) for segment, signed in marked.signatures.items()}
                )
                self.ledger.insert_near_duplicates(marked.duplicates)
        update = {
            "segments": report.segments + len(self.segments),
            "near_duplicates": report.near_duplicates + len(marked.duplicates),
            "shards": report.shards + len(numbered),
        }
        self.documents, self.segments = [], []
        return report.model_copy(update=update)


def _mark_duplicates(
    ledger: Ledger, waiting: list[Document], items: list[Normalised]
) -> Iterator[tuple[Document, str]]:
    """Gives a document with a text that was seen before the reason `duplicate`, naming the first one."""
    owners = ledger.first_with_hash([item.document.content_hash for item in items if item.document.reason is None])
    owners |= {document.content_hash: document.document_id for document in waiting if document.reason is None}
    seen: set[str] = set()
    for item in items:
        document = item.document
        if document.document_id in seen:  # the very same record twice in one file
            continue
        seen.add(document.document_id)
        if document.reason is None:
            owner = owners.setdefault(document.content_hash, document.document_id)
            if owner != document.document_id:
                update = {"reason": IngestReason.DUPLICATE, "detail": f"same text as document {owner}"}
                document = document.model_copy(update=update)
        yield document, item.text


def _batches(items: Iterable[_T], size: int) -> Iterator[list[_T]]:
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch
