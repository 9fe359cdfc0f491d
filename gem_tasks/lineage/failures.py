"""Lineage of what failed."""

from collections.abc import Sequence

from gem_tasks.lineage.connection import Part, Row

_ANY: dict[str, str | None] = {"error_class": None, "stage": None, "partition": None}


class Failures(Part):
    """What `pipeline.upkeep.failures` asks and marks. `which` is error_class, stage and partition; None means any."""

    def failed(self, recipe_ids: Sequence[str], limit: int, **which: str | None) -> list[Row]:
        """Failed segments, the newest first."""
        return self._db.rows("failed", recipe_ids=list(recipe_ids), limit=limit, **which)

    def failed_counts(self, recipe_ids: Sequence[str], **which: str | None) -> list[Row]:
        """How many there are, by stage, class and partition."""
        return self._db.rows("failed_counts", recipe_ids=list(recipe_ids), **_ANY | which)

    def mark_failed(self, recipe_ids: Sequence[str], **which: str | None) -> None:
        """The next run asks for them again."""
        self._db.run("mark_failed", recipe_ids=list(recipe_ids), **which)
