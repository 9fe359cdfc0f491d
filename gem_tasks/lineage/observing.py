"""Lineage of what a task has just done, for metrics."""

from gem_tasks.lineage.connection import Connection, Row
from gem_tasks.lineage.stages import RunContext


class ObservedRows(Connection):
    """What `pipeline.upkeep.observed` asks."""

    def observed(self, partition: str, shard: int, recipe_id: str, run: RunContext) -> list[Row]:
        """Per outcome: segments, tokens, USD, and each segment's latency."""
        place = {"partition": partition, "shard": shard, "recipe_id": recipe_id}
        return self.rows("observed", **place, run_id=run.run_id, try_number=run.try_number)
