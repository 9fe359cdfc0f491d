"""The outcomes of one stage over one shard: those kept from before, and those of this run as they are saved."""

import logging
from collections.abc import Sequence

from gem_tasks.domain.outcome import Outcome
from gem_tasks.domain.record import Record
from gem_tasks.errors import RETRYABLE, ReconcileError
from gem_tasks.lineage import RunContext
from gem_tasks.pipeline.records import load_records
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.settings import StageName
from gem_tasks.stages import stage as stage_named
from gem_tasks.store import keys, shards

logger = logging.getLogger(__name__)


class Sheet:
    """One per task."""

    def __init__(self, work: Workspace, name: StageName, partition: str, shard: int, run: RunContext) -> None:
        self.work, self.stage, self.run = work, stage_named(name), run
        self.partition, self.shard = partition, shard
        self.recipe = work.chain.by_stage[name]
        self.key = keys.stage_key(name, self.recipe.recipe_id, partition, shard)
        self.records: list[Record] = load_records(work, name, partition, shard)
        self.outcomes: dict[str, Outcome] = self._kept()
        self.reused = len(self.outcomes)
        """Outcomes that were there already."""

    @property
    def missing(self) -> list[Record]:
        """Records without an outcome."""
        return [record for record in self.records if record.segment.segment_id not in self.outcomes]

    def _kept(self) -> dict[str, Outcome]:
        """Final outcomes that Postgres knows; the object alone proves nothing."""
        with self.work.ledger() as ledger:
            known = ledger.outcomes(self.partition, self.shard, self.recipe.recipe_id)
        final = {segment for segment, (_, error_class) in known.items() if error_class not in RETRYABLE}
        if not final:
            return {}
        stored = shards.decode_outcomes(self.work.fetch(self.key))
        return {outcome.segment_id: outcome for outcome in stored if outcome.segment_id in final}

    def save(self, fresh: Sequence[Outcome]) -> None:
        """Object first, then one transaction: a crash between leaves an object that the next save overwrites."""
        self.outcomes.update((outcome.segment_id, outcome) for outcome in fresh)
        self.work.store.put(self.key, shards.encode_outcomes(list(self.outcomes.values())))
        with self.work.ledger() as ledger:
            ledger.commit_outcomes(self.recipe, self.partition, self.shard, fresh, self.key, self.run)
        for outcome in fresh:
            if outcome.kind == "failed":
                logger.warning(
                    "segment %s failed in %s (%s): %s",
                    outcome.segment_id, self.stage.name, outcome.error_class, outcome.detail[:300],
                )  # fmt: skip

    def reconcile(self) -> None:
        """Every record has one outcome, and no outcome is without a record.

        Raises:
            ReconcileError: they do not add up.
        """
        expected = {record.segment.segment_id for record in self.records}
        if lost := expected - set(self.outcomes):
            raise ReconcileError(f"{self.key}: {len(lost)} records without an outcome, such as {min(lost)}")
