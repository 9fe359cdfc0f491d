"""Surveys what a run would find in a source, and draws a random sample of it: reads the source, and writes nothing.

It uses the same readers, segmentation and search for duplicates as ingestion. The sample is the segments with the
smallest hashes of seed and id, so a larger sample contains the smaller one, and the same command draws the same sample.
"""

from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from heapq import heappush, heapreplace
from itertools import chain
from math import inf

from gem_tasks.corpus.sources.listing import SourceObject, admit, list_objects
from gem_tasks.domain.base import Value
from gem_tasks.domain.corpus import RawDocument, Segment, Source
from gem_tasks.lineage import Ledger
from gem_tasks.pipeline.ingest.near_duplicates import Met, mark
from gem_tasks.pipeline.ingest.pool import prepared
from gem_tasks.pipeline.ingest.prepare import Prepared, Rules
from gem_tasks.pipeline.ingest.segment_sizes import most_tokens
from gem_tasks.pipeline.ingest.source import cores, documents_of
from gem_tasks.pipeline.workspace import Workspace

_BATCH_DOCUMENTS = 128
_BATCH_CHARS = 2_000_000
_COMPARED = 50_000
"""Segments kept for finding near duplicates; in a larger source, later ones count as distinct texts."""


class Survey(Value):
    """Result of a survey."""

    documents: int
    """Documents read, up to the limit."""
    limit: int | None
    known: int
    """Documents that an earlier run has read; `gem stale` shows what they still need."""
    unusable: int
    """Documents without segments: empty, unreadable, or with the same text as another."""
    near_duplicates: int
    """Segments that are rejected without a call."""
    texts: int
    """Segments that the models would be asked about."""
    sample: tuple[Segment, ...]


def survey(
    work: Workspace, source: Source, size: int, seed: int = 0, told: Callable[[int], None] = lambda documents: None
) -> Survey:
    """Reads a source.

    Args:
        work: workspace whose lineage has the known documents.
        source: the source; its limit applies to this run: None for the registered limit, 0 for none.
        size: number of segments to draw.
        seed: seed of the draw.
        told: called with the number of documents read so far.

    Raises:
        UserError: the source cannot be listed, or may not be read.
    """
    admit(source.uri, work.settings.source_roots.split())
    with work.ledger() as ledger:
        kept = next((row for row in ledger.sources.all() if row.uri == source.uri), None)
        found = kept.source if kept else source
        limit = (found.limit if source.limit is None else source.limit) or None
        look = _Look(ledger, work.settings.near_duplicate, size, seed)
        bounds = int(work.settings.document_max_mb * 1_000_000), work.settings.max_rows_per_file
        listing = list_objects(found.uri, access=work.settings.s3, web=work.settings.web, room=limit or inf)
        raws = _raws(listing, limit, *bounds)
        batches = ((None, batch) for batch in _batched(raws))
        processes = work.settings.ingest_processes or cores()
        for _, documents in prepared(batches, Rules.of(found, work.settings, most_tokens(work)), processes):
            look.add(documents)
            told(look.documents)
    return look.result(limit)


class _Look:
    """Counts documents and draws the sample."""

    def __init__(self, ledger: Ledger, near: float, size: int, seed: int) -> None:
        self._ledger, self._near, self._size, self._seed = ledger, near, size, seed
        self._met: Met = {}
        self._hashes: set[str] = set()
        self._drawn: list[tuple[int, int, Segment]] = []
        """A heap, the largest hash first."""
        self.documents = self._known = self._unusable = self._doubled = self._texts = 0

    def add(self, found: Sequence[Prepared]) -> None:
        known = self._ledger.ingestion.known_documents([each.document.document_id for each in found])
        owned = self._ledger.ingestion.first_with_hash({each.document.content_hash for each in found})
        fresh: list[Prepared] = []
        for each in found:
            self.documents += 1
            document = each.document
            if document.document_id in known:
                self._known += 1
            elif document.reason or document.content_hash in owned or document.content_hash in self._hashes:
                self._unusable += 1
            else:
                fresh.append(each)
            self._hashes.add(document.content_hash)
        segments = list(chain.from_iterable(each.segments for each in fresh))
        if self._texts < _COMPARED:
            signed = list(chain.from_iterable(each.signatures for each in fresh))
            segments = mark(self._ledger, segments, signed, self._near, self._met).segments
        for segment in segments:
            if segment.near_duplicate_of:
                self._doubled += 1
            else:
                self._draw(segment)

    def result(self, limit: int | None) -> Survey:
        drawn = [segment for _, _, segment in sorted(self._drawn, key=lambda each: -each[0])]
        return Survey(
            documents=self.documents,
            limit=limit,
            known=self._known,
            unusable=self._unusable,
            near_duplicates=self._doubled,
            texts=self._texts,
            sample=tuple(drawn),
        )

    def _draw(self, segment: Segment) -> None:
        self._texts += 1
        digest = sha256(f"{self._seed} {segment.segment_id}".encode()).digest()
        entry = (-int.from_bytes(digest[:16], "big"), self._texts, segment)
        if len(self._drawn) < self._size:
            heappush(self._drawn, entry)
        elif entry > self._drawn[0]:
            heapreplace(self._drawn, entry)


def _raws(listing: Iterator[SourceObject], limit: int | None, most_bytes: int, most_rows: int) -> Iterator[RawDocument]:
    left = limit
    for found in listing:
        for raw in documents_of(found, most_bytes, most_rows):
            if left == 0:
                return
            left = left and left - 1
            yield raw


def _batched(raws: Iterator[RawDocument]) -> Iterator[list[RawDocument]]:
    batch: list[RawDocument] = []
    chars = 0
    for raw in raws:
        batch.append(raw)
        chars += len(raw.text)
        if len(batch) >= _BATCH_DOCUMENTS or chars >= _BATCH_CHARS:
            yield batch
            batch, chars = [], 0
    if batch:
        yield batch
