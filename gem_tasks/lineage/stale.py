"""Lineage of what is stale: counts of segments by where they wait and what they had before, and what results took."""

from collections.abc import Collection, Sequence

from gem_tasks.domain.base import Value
from gem_tasks.domain.recipe import Recipe
from gem_tasks.lineage.connection import Part


class StaleRow(Value):
    """Segments of a partition that are alike, seen from one stage of the chain; see the query."""

    partition: str
    frontier: int
    ord: int
    again: bool
    known: bool
    before: str | None
    segments: int


class HistoryRow(Value):
    """Averages over the results of a stage that a model made."""

    stage: str
    model: str | None
    results: int
    accepted_share: float
    rejected_share: float
    calls: float
    prompt_tokens: float
    completion_tokens: float
    usd: float | None


class PaceRow(Value):
    """Seconds per segment of a stage in Airflow."""

    stage: str
    seconds: float
    runs: int


class Stale(Part):
    """What `pipeline.rebuild.stale` asks."""

    def work_left(
        self, chain: Sequence[Recipe], takes: Sequence[str], first: str | None, last: str | None
    ) -> list[StaleRow]:
        """Work left under a chain of recipes, over a range or all; `takes` as in `Link`, for every recipe."""
        return self._db.all(
            StaleRow,
            "stale",
            recipe_ids=[recipe.recipe_id for recipe in chain],
            stages=[recipe.stage for recipe in chain],
            takes=list(takes),
            first=first,
            last=last,
        )

    def history(self) -> list[HistoryRow]:
        """What results took, by stage and model."""
        return self._db.all(HistoryRow, "history")

    def pace(self) -> dict[str, PaceRow]:
        """How fast stages went in Airflow."""
        return {row["stage"]: PaceRow.model_validate(row) for row in self._db.rows("pace")}

    def recipes_named(self, recipe_ids: Collection[str]) -> dict[str, Recipe]:
        """Recipes by id; unknown ids are left out."""
        found = self._db.rows("recipes_named", recipe_ids=sorted(recipe_ids))
        return {row.pop("recipe_id"): Recipe.model_validate(row) for row in found}

    def partition_keys(self) -> list[str]:
        """All partitions, oldest first."""
        return [row["partition_key"] for row in self._db.rows("partition_keys")]

    def unpublished_partitions(self, accepting: Sequence[str], last: str) -> list[str]:
        """Partitions with something accepted under one of the recipes whose current dataset is not of the last one."""
        found = self._db.rows("unpublished_partitions", recipe_ids=list(accepting), last=last)
        return [row["partition_key"] for row in found]
