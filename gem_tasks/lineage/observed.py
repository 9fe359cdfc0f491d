"""Lineage of what a task has just done, for metrics."""

from gem_tasks.lineage.connection import Part, Row
from gem_tasks.lineage.stages import RunContext


class Observed(Part):
    """What `pipeline.upkeep.observed` asks."""

    def of_task(self, partition: str, shard: int, recipe_id: str, run: RunContext) -> list[Row]:
        """Per outcome: segments, tokens, USD, and each segment's latency."""
        place = {"partition": partition, "shard": shard, "recipe_id": recipe_id}
        return self._db.rows("observed", **place, run_id=run.run_id, try_number=run.try_number)
