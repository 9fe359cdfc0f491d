"""Source to segments: find what is new or changed, read, prepare, leave out what is known or doubled, record.

Safe to repeat, to interrupt, and to run twice at once. What is unchanged is not opened; what changed is compared
document by document; what vanished is retired once the whole source was seen (`scan`).
"""

import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from math import inf

from gem_tasks.corpus.prefetch import prefetched
from gem_tasks.corpus.readers import read
from gem_tasks.corpus.records import refused
from gem_tasks.corpus.sources import SourceObject, admit, list_objects
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
    """What a task returns."""

    source: str
    partition: str
    objects: int = 0
    """Listed by this run."""
    documents: int = 0
    """In them, as far as the limit goes; those of unchanged objects are known without opening these."""
    unchanged: int = 0
    """Known from an earlier run with the same content."""
    rejected: int = 0
    """New, but without segments; the reason is on the document."""
    segments: int = 0
    near_duplicates: int = 0
    """Segments that nearly repeat an earlier one; they are among `segments`."""
    shards: int = 0
    superseded: int = 0
    """Documents that a newer version took the place of."""
    gone: int = 0
    """Documents whose object, or whose record in it, has vanished."""
    restored: int = 0
    """Documents that were superseded or gone, and are back."""
    stopped_at: int | None = None
    """The limit, in documents, that left something of the source unread."""


def register(work: Workspace, source: Source) -> Registered:
    """Registers a source, or changes its settings. A new one has to have something to read.

    Raises:
        UserError: it is none, lies outside of the roots, or cannot be read.
    """
    kind = admit(source.uri, work.settings.source_roots.split())
    with work.ledger() as ledger:
        if source.uri not in (row.uri for row in ledger.sources.all()):
            next(list_objects(source.uri, access=work.settings.s3))
        return ledger.sources.register(source, kind)


def sources(work: Workspace, source: str | None) -> list[str]:
    """The one source of this run, or all that are enabled."""
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
    """Adds what is new in a source to a partition, and retires what it holds no longer.

    Args:
        work: where to.
        source: what to read; it is registered.
        partition: key of the partition that new segments go to.
        limit: look at the first so many documents only, in this run, and take nothing for gone; the source's own limit
            holds besides.
        accept_vanished: however many objects have vanished, it is meant.

    Raises:
        UserError: the source cannot be listed, or so much has vanished that a person has to say that it is meant.
    """
    registered = register(work, source if isinstance(source, Source) else Source(uri=source))
    with work.ledger() as ledger, ledger.locks.source(registered.source_id):
        # How far a scan has come may have changed while this one waited for its turn.
        registered = ledger.sources.register(Source(uri=registered.uri), registered.kind)
        run = _Ingestion(work, ledger, registered, partition, limit)
        report = run.go(accept_vanished)
    logger.info("%s", report)
    return report


@dataclass(slots=True)
class _Batch:
    """What is read and not yet prepared."""

    raws: list[RawDocument] = field(default_factory=list[RawDocument])
    same: list[Seen] = field(default_factory=list[Seen])
    ended: list[Ended] = field(default_factory=list[Ended])
    reached: str = ""
    chars: int = 0

    def add(self, raw: RawDocument) -> bool:
        """Takes a document; says whether it is enough."""
        self.raws.append(raw)
        self.chars += len(raw.text)
        return len(self.raws) >= _BATCH_DOCUMENTS or self.chars >= _BATCH_CHARS


class _Ingestion:
    """One source into one partition."""

    def __init__(self, work: Workspace, ledger: Ledger, source: Registered, partition: str, limit: int | None) -> None:
        self._work, self._ledger, self._source, self._partition = work, ledger, source, partition
        self._limit = min((each for each in (limit, source.limit) if each), default=None)
        self._glance = limit is not None
        """Whether a run that stops at its limit is over: the listing behind it is of no interest."""
        known = ledger.sources.known_objects(source.source_id).documents if self._limit else 0
        self._left = self._limit - known if self._limit else inf
        """How many documents may be read besides those that are known."""
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
            # What was a duplicate of a document that is now gone takes its place: a file that was renamed.
            self._source = self._source.model_copy(update={"scan_position": ""})
            self._scan(commits).finish(accept_vanished)
        settled = commits.settled.model_dump(exclude={"reread"})
        return report.model_copy(update={**commits.counts.model_dump(exclude={"unchanged"}), **settled})

    def _scan(self, commits: Commits) -> Scan:
        settings = self._work.settings
        scan = Scan(self._ledger, self._source, settings.source_roots.split(), settings.s3)
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
            if self._limit:  # what is known keeps its place under the limit, what is new comes after it
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
        """Adds what one object holds, as far as the limit goes; gives the batch away whenever it is large enough."""
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
        """What the batch holds, without what was read before, word for word; the batch is empty afterwards."""
        taken = self._without_known(replace(batch))
        batch.raws, batch.same, batch.ended, batch.chars = [], [], [], 0
        return taken

    def _without_known(self, batch: _Batch) -> _Batch:
        """Leaves nothing to prepare of what was read before, word for word."""
        if batch.raws:
            fingerprints = [raw.fingerprint() for raw in batch.raws]
            known = self._ledger.versions.same_records([raw.uri for raw in batch.raws], fingerprints)
            batch.same = [(known[at], raw.read_from, raw.uri) for at, raw in enumerate(batch.raws) if at in known]
            batch.raws = [raw for at, raw in enumerate(batch.raws) if at not in known]
        return batch


def documents_of(found: SourceObject, limit_bytes: int, max_rows: int) -> Iterator[RawDocument]:
    """What a reader finds in an object. One that a reader trips over keeps what was read before, and gets a reason."""
    try:
        reader = read_confined if found.media_type == "application/parquet" else read
        yield from reader(found, limit_bytes, max_rows)
    except GemError:
        raise  # about the store, not about this object
    except Exception as error:
        logger.exception("%r cannot be read", found.uri)
        yield refused(found, None, IngestReason.UNREADABLE, why_broken(error))


def _ended(found: SourceObject, documents: int, broken: bool, cut: bool) -> Ended:
    # What could not even be opened may be fixed without its etag changing, and what a limit cut has more to give:
    # both are looked at again.
    etag = "" if cut or (broken and documents == 1) else found.etag
    read = ReadObject(key=found.uri, etag=etag, size=found.size, documents=documents)
    return Ended(read=read, broken=broken or cut)


def cores() -> int:
    """How many processes may run at once here, which in a container is fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
