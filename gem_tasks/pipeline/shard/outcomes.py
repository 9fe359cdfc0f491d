"""The outcomes of one stage over one shard: those of earlier runs, and those of this run as they are saved."""

import logging
from collections import Counter
from collections.abc import Iterator, Sequence

from gem_tasks.domain.outcome import Outcome, OutcomeKind
from gem_tasks.domain.record import Record
from gem_tasks.errors import ReconcileError
from gem_tasks.lineage import Ledger
from gem_tasks.pipeline.shard.job import ShardJob
from gem_tasks.pipeline.shard.records import inputs, load_records
from gem_tasks.store import shards

logger = logging.getLogger(__name__)


class Outcomes:
    """One per task. Postgres alone tells which records are finished: no object is read for it.

    It rewrites the shard's object from this knowledge, so create and use it under the shard's lock, `holder`'s.
    """

    def __init__(self, job: ShardJob, holder: Ledger) -> None:
        self._job, self._holder = job, holder
        work, place = job.work, job.place
        with work.ledger() as ledger:
            known = ledger.stages.outcomes(place.partition, place.shard, place.recipe_id)
            scope = ledger.rebuild.scoped_segments(place.partition, work.scope) if work.scope.narrowed else None
        self.expected = inputs(work, job.name, place.partition, place.shard)
        final: dict[str, OutcomeKind] = {segment: kind for segment, (kind, _) in known.items()}
        self.kinds: dict[str, OutcomeKind] = {
            segment: kind for segment, kind in final.items() if segment in self.expected
        }
        """Outcome of each record that has a final one."""
        self._withdrawn = final.keys() - self.kinds.keys()
        """Final outcomes that no record asks for now. Their documents may be restored, so the object keeps them."""
        self.reused = len(self.kinds)
        self._asked = self.expected if scope is None else self.expected & scope
        """Records that need an outcome from this run; those outside a narrowed run's scope stay unchanged."""

    @property
    def unended(self) -> set[str]:
        """Ids of records of this run without a final outcome."""
        return self._asked - self.kinds.keys()

    @property
    def left(self) -> int:
        """Number of records of this run without a final outcome."""
        return len(self.unended)

    def missing(self) -> Iterator[Record]:
        """Records of this run without a final outcome, read lazily."""
        job = self._job
        return load_records(job.work, job.name, job.place.partition, job.place.shard, self.unended)

    def save(self, outcomes: Sequence[Outcome]) -> None:
        """Writes the object, then one transaction: a crash in between leaves an object that the next save replaces."""
        job = self._job
        self._holder.locks.still_locked()
        with job.work.ledger() as ledger, ledger.retention.writing():
            kept = self.kinds.keys() | self._withdrawn
            stored = job.work.fetch(job.key) if kept else None
            job.work.store.put(job.key, shards.add_outcomes(stored, kept, outcomes))
            ledger.stages.commit_outcomes(job.recipe, job.place.partition, job.place.shard, outcomes, job.key, job.run)
        self.kinds.update((outcome.segment_id, outcome.kind) for outcome in outcomes)
        for outcome in outcomes:
            if outcome.kind == "failed":
                logger.warning(
                    "segment %s failed in %s (%s): %s",
                    outcome.segment_id, job.name, outcome.error_class, outcome.detail[:300],
                )  # fmt: skip

    def counts(self) -> Counter[OutcomeKind]:
        """Number of records by outcome.

        Raises:
            ReconcileError: a record has no outcome.
        """
        if lost := self.unended:
            raise ReconcileError(f"{self._job.key}: {len(lost)} records without an outcome, such as {min(lost)}")
        return Counter(self.kinds.values())
