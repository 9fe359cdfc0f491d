"""The lineage of one shard in memory, for what is decided above it."""

from contextlib import contextmanager
from dataclasses import dataclass, field

from gem_tasks.lineage import RunContext
from gem_tasks.pipeline.recipes import Chain
from gem_tasks.pipeline.shard.job import ShardJob
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.settings import Settings
from gem_tasks.store.local import LocalStore


@dataclass
class FakeLedger:
    """Segments of a shard, final outcomes of a stage, and money; a transaction that fails changes nothing."""

    segments: set[str] = field(default_factory=set)
    scope: set[str] = field(default_factory=set)
    rows: dict = field(default_factory=dict)
    error: Exception | None = None
    """What the next commit raises."""
    drawn: float = 0.0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def __getattr__(self, part: str):
        """Plays every part of the ledger."""
        if part not in {"stages", "budgets", "locks", "retention", "rebuild"}:
            raise AttributeError(part)
        return self

    @contextmanager
    def writing(self):
        yield

    def segment_ids(self, partition, shard):
        return set(self.segments)

    def scoped_segments(self, partition, scope):
        return self.scope

    def outcomes(self, partition, shard, recipe_id):
        return {key: (outcome.kind, outcome.error_class) for key, outcome in self.rows.items()}

    def still_locked(self):
        pass

    def commit_outcomes(self, recipe, partition, shard, outcomes, key, run):
        if self.error:
            raise self.error
        self.rows |= {outcome.segment_id: outcome for outcome in outcomes if outcome.final}

    def recipe_answered(self, recipe_id):
        return False

    def draw(self, account, limit, needed, wanted):
        left = limit - self.drawn
        taken = max(needed, min(wanted, left)) if needed <= left else 0.0
        self.drawn += taken
        return taken

    def hand_back(self, account, usd):
        self.drawn -= usd


def filter_job(folder, ledger, options=None) -> ShardJob:
    """The filter over shard 0 of a partition, with this lineage."""

    class Offline(Workspace):
        def ledger(self):
            return ledger

    settings = Settings(home=folder)
    extra = {} if options is None else {"options": options}
    work = Offline(settings=settings, store=LocalStore(folder / "store"), chain=Chain(settings), **extra)
    return ShardJob.of(work, "filter", "2026-01-31T14:00", 0, RunContext(run_id="r"))
