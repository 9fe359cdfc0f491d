"""Lineage of a task's latest results, for metrics."""

from collections.abc import Sequence
from typing import NamedTuple

from gem_tasks.domain.outcome import OutcomeKind
from gem_tasks.lineage.connection import Part
from gem_tasks.lineage.stages import RunContext


class OutcomeRow(NamedTuple):
    """Segments with the same outcome, and their cost."""

    outcome: OutcomeKind
    segments: int
    prompt_tokens: int
    completion_tokens: int
    usd: float | None
    latencies_ms: list[int] | None
    """Latency of each segment that called the model; None if none did."""


class Observed(Part):
    """Queries of `pipeline.upkeep.observed`."""

    def of_task(self, partition: str, shard: int, recipe_ids: Sequence[str], run: RunContext) -> list[OutcomeRow]:
        """Results of a task by outcome."""
        place = {"partition": partition, "shard": shard, "recipe_ids": list(recipe_ids)}
        return self._db.all(OutcomeRow, "observed", **place, run_id=run.run_id, try_number=run.try_number)
