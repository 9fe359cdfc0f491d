"""Lineage of what checks and judge refused."""

from gem_tasks.lineage.connection import Part, Row


class Judging(Part):
    """What `pipeline.judging.agreement` asks."""

    def judged_counts(self, recipe_id: str) -> dict[str | None, int]:
        """Trajectories by rejection reason; None is accepted."""
        return {row["reason"]: row["segments"] for row in self._db.rows("judged_counts", recipe_id=recipe_id)}

    def settled_values(self, recipe_id: str) -> tuple[int, int]:
        """Argument values of accepted trajectories, and how many of them the checks left open."""
        (row,) = self._db.rows("settled_values", recipe_id=recipe_id)
        return row["total"], row["open"]

    def refused_by_checks(self, recipe_id: str, seed: int, limit: int) -> list[Row]:
        """A sample that depends on the seed only."""
        return self._db.rows("refused_by_checks", recipe_id=recipe_id, seed=seed, limit=limit)
