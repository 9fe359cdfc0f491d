"""The outcomes of one stage over one shard: those kept from before, and those of this run as they are saved."""

import logging
from collections import Counter
from collections.abc import Iterator, Sequence

from gem_tasks.domain.outcome import Outcome, OutcomeKind
from gem_tasks.domain.record import Record
from gem_tasks.errors import ReconcileError
from gem_tasks.lineage import Ledger, RunContext
from gem_tasks.pipeline.recipes import Asking
from gem_tasks.pipeline.shard.prefilter import current
from gem_tasks.pipeline.shard.records import inputs, load_records
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.settings import StageName
from gem_tasks.store import keys, shards

logger = logging.getLogger(__name__)


class Sheet:
    """One per task. What is finished is known from Postgres alone: no object is read for it.

    It rewrites the shard's object from what it knows, so it is made and used under the shard's lock, `holder`'s.
    """

    def __init__(
        self, work: Workspace, name: StageName, partition: str, shard: int, run: RunContext, holder: Ledger
    ) -> None:
        self._holder = holder
        self.work, self.stage, self.run = work, work.chain.stage(name), run
        self.partition, self.shard = partition, shard
        self.recipe = work.chain.by_stage[name]
        self.key = keys.stage_key(name, self.recipe.recipe_id, partition, shard)
        with work.ledger() as ledger:
            known = ledger.outcomes(partition, shard, self.recipe.recipe_id)
            scope = ledger.scoped_segments(partition, work.scope) if work.scope.narrowed else None
        self.expected = inputs(work, name, partition, shard)
        final: dict[str, OutcomeKind] = {segment: kind for segment, (kind, _) in known.items()}
        self.kinds: dict[str, OutcomeKind] = {
            segment: kind for segment, kind in final.items() if segment in self.expected
        }
        """How each record that has a final outcome ended."""
        self._withdrawn = final.keys() - self.kinds.keys()
        """Final outcomes that no record asks for now. Their documents may come back, so the object keeps them."""
        self.reused = len(self.kinds)
        self._asked = self.expected if scope is None else self.expected & scope
        """What this run has to bring to an outcome; what lies outside a narrowed run's scope stays as it is."""

    @property
    def unended(self) -> set[str]:
        """Ids of records of this run without a final outcome."""
        return self._asked - self.kinds.keys()

    @property
    def left(self) -> int:
        """How many they are."""
        return len(self.unended)

    def missing(self, *, begun: bool = False) -> Iterator[Record]:
        """Those records, read as they are asked for.

        Args:
            begun: requests for some of them are under way: no prefilter turns down what is being paid for.
        """
        records = load_records(self.work, self.stage.name, self.partition, self.shard, self.unended)
        prefilter = current(self.work) if self.stage.name == "filter" and not begun else None
        return prefilter.look_at(records) if prefilter else records

    @property
    def asking(self) -> Asking:
        """How the stage asks under the run's recipes."""
        return self.work.chain.asking(self.stage.name)

    def proven(self) -> bool:
        """Whether the endpoint has ever answered a request of the recipe."""
        with self.work.ledger() as ledger:
            return ledger.recipe_answered(self.recipe.recipe_id)

    def save(self, fresh: Sequence[Outcome]) -> None:
        """Object first, then one transaction: a crash between leaves an object that the next save overwrites."""
        self._holder.still_locked()
        with self.work.ledger() as ledger, ledger.writing():
            kept = self.kinds.keys() | self._withdrawn
            stored = self.work.fetch(self.key) if kept else None
            self.work.store.put(self.key, shards.add_outcomes(stored, kept, fresh))
            ledger.commit_outcomes(self.recipe, self.partition, self.shard, fresh, self.key, self.run)
        self.kinds.update((outcome.segment_id, outcome.kind) for outcome in fresh)
        for outcome in fresh:
            if outcome.kind == "failed":
                logger.warning(
                    "segment %s failed in %s (%s): %s",
                    outcome.segment_id, self.stage.name, outcome.error_class, outcome.detail[:300],
                )  # fmt: skip

    def counts(self) -> Counter[OutcomeKind]:
        """How many ended how.

        Raises:
            ReconcileError: a record has no outcome.
        """
        if lost := self.unended:
            raise ReconcileError(f"{self.key}: {len(lost)} records without an outcome, such as {min(lost)}")
        return Counter(self.kinds.values())
