"""Lineage of rejections by checks and judge."""

from typing import NamedTuple

from gem_tasks.lineage.connection import Part


class SettledValues(NamedTuple):
    """Number of argument values in accepted trajectories, and of those that the checks left open."""

    total: int
    open: int


class RefusedRow(NamedTuple):
    """A segment whose conversation the checks rejected."""

    segment_id: str
    partition: str
    shard: int
    reason: str


class Judging(Part):
    """Queries of `pipeline.judging.agreement`."""

    def judged_counts(self, recipe_id: str) -> dict[str | None, int]:
        """Number of trajectories by rejection reason; None means accepted."""
        return {row["reason"]: row["segments"] for row in self._db.rows("judged_counts", recipe_id=recipe_id)}

    def settled_values(self, recipe_id: str) -> SettledValues:
        """The values under a recipe."""
        return self._db.only(SettledValues, "settled_values", recipe_id=recipe_id)

    def refused_by_checks(self, recipe_id: str, seed: int, limit: int) -> list[RefusedRow]:
        """A sample that depends only on the seed."""
        return self._db.all(RefusedRow, "refused_by_checks", recipe_id=recipe_id, seed=seed, limit=limit)
