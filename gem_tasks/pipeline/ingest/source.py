"""Ingests a source: finds new and changed objects, reads and prepares them, drops known texts, records the rest.

Safe to repeat, to interrupt, and to run twice at once. Unchanged objects are not opened; changed ones are compared
document by document; vanished ones are retired once the whole source was listed (`scan`).
"""

import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from math import inf

from gem_tasks.corpus.reading.readers import read, rows_of
from gem_tasks.corpus.reading.records import refused
from gem_tasks.corpus.sources.archives import members
from gem_tasks.corpus.sources.listing import SourceObject, admit, require_objects
from gem_tasks.corpus.sources.objects import ARCHIVES
from gem_tasks.corpus.sources.prefetch import prefetched
from gem_tasks.domain.base import Value
from gem_tasks.domain.corpus import IngestReason, RawDocument, Source
from gem_tasks.errors import GemError
from gem_tasks.lineage import Ledger, ReadObject, Registered
from gem_tasks.pipeline.ingest.commit import Commits, Ended, Seen
from gem_tasks.pipeline.ingest.confined import read_confined
from gem_tasks.pipeline.ingest.pool import prepared
from gem_tasks.pipeline.ingest.prepare import Rules, why_broken
from gem_tasks.pipeline.ingest.scan import Scan
from gem_tasks.pipeline.ingest.segment_sizes import most_tokens
from gem_tasks.pipeline.workspace import Workspace

logger = logging.getLogger(__name__)

_BATCH_DOCUMENTS = 128
_BATCH_CHARS = 2_000_000


class IngestReport(Value):
    """Result of an ingestion task."""

    source: str
    partition: str
    objects: int = 0
    """Listed by this run."""
    documents: int = 0
    """Documents in them, up to the limit; those of unchanged objects are known without opening the objects."""
    unchanged: int = 0
    """Known from an earlier run with the same content."""
    rejected: int = 0
    """New, but without segments; the reason is recorded on the document."""
    segments: int = 0
    near_duplicates: int = 0
    """Segments that nearly repeat an earlier one; also counted in `segments`."""
    shards: int = 0
    superseded: int = 0
    """Documents that a newer version replaced."""
    gone: int = 0
    """Documents whose object, or whose record in it, has vanished."""
    restored: int = 0
    """Documents that were superseded or had vanished, and are live again."""
    stopped_at: int | None = None
    """The document limit at which ingestion stopped with part of the source unread."""


def register(work: Workspace, source: Source) -> Registered:
    """Registers a source, or changes its settings. A new source must contain something readable.

    Raises:
        UserError: it is not a source, lies outside the allowed roots, or cannot be read.
    """
    kind = admit(source.uri, work.settings.source_roots.split())
    with work.ledger() as ledger:
        if source.uri not in (row.uri for row in ledger.sources.all()):
            require_objects(source.uri, work.settings.s3, work.settings.web)
        return ledger.sources.register(source, kind)


def sources(work: Workspace, source: str | None) -> list[str]:
    """The one source of this run, or all enabled sources."""
    if source:
        return [source]
    with work.ledger() as ledger:
        return ledger.sources.enabled()


def ingest(
    work: Workspace,
    source: str | Source,
    partition: str,
    limit: int | None = None,
    accept_vanished: bool = False,
) -> IngestReport:
    """Adds a source's new documents to a partition, and retires those that it no longer has.

    Args:
        work: store, lineage and settings.
        source: what to read; it is registered.
        partition: key of the partition that new segments go to.
        limit: look only at the first N documents in this run, and retire nothing; the source's `limit` applies as well.
        accept_vanished: retire vanished objects regardless of their number.

    Raises:
        UserError: the source cannot be listed, or too many objects have vanished to retire them without confirmation.
    """
    registered = register(work, source if isinstance(source, Source) else Source(uri=source))
    with work.ledger() as ledger, ledger.locks.source(registered.source_id):
        # Another scan may have moved the position while this one waited for its turn.
        registered = ledger.sources.register(Source(uri=registered.uri), registered.kind)
        run = _Ingestion(work, ledger, registered, partition, limit)
        report = run.go(accept_vanished)
    logger.info("%s", report)
    return report


@dataclass(slots=True)
class _Batch:
    """Documents that were read but not yet prepared."""

    raws: list[RawDocument] = field(default_factory=list[RawDocument])
    same: list[Seen] = field(default_factory=list[Seen])
    ended: list[Ended] = field(default_factory=list[Ended])
    reached: str = ""
    chars: int = 0

    def add(self, raw: RawDocument) -> bool:
        """Adds a document; returns whether the batch is full."""
        self.raws.append(raw)
        self.chars += len(raw.text)
        return len(self.raws) >= _BATCH_DOCUMENTS or self.chars >= _BATCH_CHARS


class _Ingestion:
    """Ingestion of one source into one partition."""

    def __init__(self, work: Workspace, ledger: Ledger, source: Registered, partition: str, limit: int | None) -> None:
        self._work, self._ledger, self._source, self._partition = work, ledger, source, partition
        self._limit = min((each for each in (limit, source.limit) if each), default=None)
        self._glance = limit is not None
        """Whether a run with a limit may stop at it: the rest of the listing does not matter."""
        known = ledger.sources.known_objects(source.source_id).documents if self._limit else 0
        self._left = self._limit - known if self._limit else inf
        """How many documents may be read in addition to the known ones."""
        settings = work.settings
        self._limits = int(settings.document_max_mb * 1_000_000), settings.max_rows_per_file
        self._read = 0
        self._stopped = False
        if self._limit:
            self._source = source.model_copy(update={"scan_position": ""})

    def go(self, accept_vanished: bool) -> IngestReport:
        commits = Commits(self._work, self._ledger, self._source.source_id, self._partition)
        scan = self._scan(commits)
        report = IngestReport(
            source=self._source.uri,
            partition=self._partition,
            objects=scan.listed,
            documents=scan.unchanged + self._read,
            unchanged=scan.unchanged + commits.counts.unchanged,
            stopped_at=self._limit if self._stopped else None,
        )
        if not (self._stopped and self._glance):
            commits.settled += scan.finish(accept_vanished, whole=not self._stopped)
        if commits.settled.reread and not self._limit:
            # Duplicates of a document that has now vanished replace it: the file was renamed.
            self._source = self._source.model_copy(update={"scan_position": ""})
            self._scan(commits).finish(accept_vanished)
        settled = commits.settled.model_dump(exclude={"reread"})
        return report.model_copy(update={**commits.counts.model_dump(exclude={"unchanged"}), **settled})

    def _scan(self, commits: Commits) -> Scan:
        settings = self._work.settings
        scan = Scan(self._ledger, self._source, settings.source_roots.split(), settings.s3, settings.web, self._left)
        rules = Rules.of(self._source, settings, most_tokens(self._work))
        processes = settings.ingest_processes or cores()
        batches = ((batch, batch.raws) for batch in self._batches(scan))
        for batch, found in prepared(batches, rules, processes):
            commits.add(found, batch.same, batch.ended, "" if self._limit else batch.reached)
        commits.flush()
        return scan

    def _batches(self, scan: Scan) -> Iterator[_Batch]:
        for piece in scan.pieces():
            batch = _Batch()
            if self._limit:  # known documents keep their place under the limit; new ones come after them
                piece.sort(key=lambda found: found.uri not in scan.earlier)
            for found in prefetched(piece):
                if self._left <= 0 and found.uri not in scan.earlier:
                    self._stopped = True
                    break
                yield from self._object(found, scan.earlier.get(found.uri, 0), batch)
            batch.reached = scan.position
            yield self._taken(batch)
            if self._stopped and (self._glance or scan.beyond_known):
                return

    def _object(self, found: SourceObject, earlier: int, batch: _Batch) -> Iterator[_Batch]:
        """Adds the documents of one object, up to the limit; yields the batch whenever it is full."""
        documents, broken, cut = 0, False, False
        self._left += earlier
        for raw in documents_of(found, *self._limits):
            if self._left <= 0:
                self._stopped = cut = True
                break
            documents, self._read, self._left = documents + 1, self._read + 1, self._left - 1
            broken = broken or (raw.reason is IngestReason.UNREADABLE and raw.uri == found.uri)
            if batch.add(raw):
                yield self._taken(batch)
        if documents or not cut:
            batch.ended.append(_ended(found, documents, broken, cut))
        else:
            self._left -= earlier

    def _taken(self, batch: _Batch) -> _Batch:
        """The batch without documents that were read before with the same content; the batch is empty afterwards."""
        taken = self._without_known(replace(batch))
        batch.raws, batch.same, batch.ended, batch.chars = [], [], [], 0
        return taken

    def _without_known(self, batch: _Batch) -> _Batch:
        """Drops documents that were read before with the same content."""
        if batch.raws:
            fingerprints = [raw.fingerprint() for raw in batch.raws]
            known = self._ledger.versions.same_records([raw.uri for raw in batch.raws], fingerprints)
            batch.same = [(known[at], raw.read_from, raw.uri) for at, raw in enumerate(batch.raws) if at in known]
            batch.raws = [raw for at, raw in enumerate(batch.raws) if at not in known]
        return batch


def documents_of(found: SourceObject, limit_bytes: int, max_rows: int) -> Iterator[RawDocument]:
    """The documents that a reader finds in an object. If it fails, earlier ones stay and a reason is added."""
    try:
        yield from _read(found, limit_bytes, max_rows)
    except GemError:
        raise  # a fault of the store, not of this object
    except Exception as error:
        logger.exception("cannot read %r", found.uri)
        yield refused(found, None, IngestReason.UNREADABLE, why_broken(error))


def _read(found: SourceObject, limit_bytes: int, max_rows: int) -> Iterator[RawDocument]:
    if found.refusal:
        yield refused(found, None, *found.refusal)
    elif found.media_type in ARCHIVES:
        yield from _of_archive(found, limit_bytes, max_rows)
    else:
        reader = read_confined if found.media_type == "application/parquet" else read
        yield from reader(found, limit_bytes, max_rows)


def _of_archive(found: SourceObject, limit_bytes: int, max_rows: int) -> Iterator[RawDocument]:
    """The documents of all members; each is recorded as read from the archive."""
    most = rows_of(found, max_rows)
    documents = (
        raw.model_copy(update={"object_key": found.uri, "etag": found.etag})
        for member in members(found, limit_bytes, most)
        for raw in documents_of(member, limit_bytes, max_rows)
    )
    yield from islice(documents, most)
    if next(documents, None) is not None:
        yield refused(found, None, IngestReason.TOO_LARGE, f"GEM read only its first {most} documents")


def _ended(found: SourceObject, documents: int, broken: bool, cut: bool) -> Ended:
    # GEM reads both again: an unreadable object may be fixed without a new etag, and one that a limit cut has more.
    etag = "" if cut or (broken and documents == 1) else found.etag
    read = ReadObject(key=found.uri, etag=etag, size=found.size, documents=documents)
    return Ended(read=read, broken=broken or cut)


def cores() -> int:
    """Number of usable cores, which in a container is less than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
