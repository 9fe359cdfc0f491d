"""Lineage of what checks and judge refused."""

from typing import NamedTuple

from gem_tasks.lineage.connection import Part


class SettledValues(NamedTuple):
    """Argument values of accepted trajectories, and those of them that the checks left open."""

    total: int
    open: int


class RefusedRow(NamedTuple):
    """A segment whose conversation the checks refused."""

    segment_id: str
    partition: str
    shard: int
    reason: str


class Judging(Part):
    """What `pipeline.judging.agreement` asks."""

    def judged_counts(self, recipe_id: str) -> dict[str | None, int]:
        """Trajectories by rejection reason; None is accepted."""
        return {row["reason"]: row["segments"] for row in self._db.rows("judged_counts", recipe_id=recipe_id)}

    def settled_values(self, recipe_id: str) -> SettledValues:
        """Under the recipe."""
        return self._db.only(SettledValues, "settled_values", recipe_id=recipe_id)

    def refused_by_checks(self, recipe_id: str, seed: int, limit: int) -> list[RefusedRow]:
        """A sample that depends on the seed only."""
        return self._db.all(RefusedRow, "refused_by_checks", recipe_id=recipe_id, seed=seed, limit=limit)
