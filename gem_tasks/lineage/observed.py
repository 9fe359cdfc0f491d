"""Lineage of what a task has just done, for metrics."""

from typing import NamedTuple

from gem_tasks.domain.outcome import OutcomeKind
from gem_tasks.lineage.connection import Part
from gem_tasks.lineage.stages import RunContext


class OutcomeRow(NamedTuple):
    """Segments that ended in one way, and what they took."""

    outcome: OutcomeKind
    segments: int
    prompt_tokens: int
    completion_tokens: int
    usd: float | None
    latencies_ms: list[int] | None
    """Of each segment that called the model; None when none did."""


class Observed(Part):
    """What `pipeline.upkeep.observed` asks."""

    def of_task(self, partition: str, shard: int, recipe_id: str, run: RunContext) -> list[OutcomeRow]:
        """By outcome."""
        place = {"partition": partition, "shard": shard, "recipe_id": recipe_id}
        return self._db.all(OutcomeRow, "observed", **place, run_id=run.run_id, try_number=run.try_number)
