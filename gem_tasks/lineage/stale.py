"""Lineage of stale results: counts of segments by waiting stage and earlier results, and the cost of results."""

from collections.abc import Collection, Sequence

from gem_tasks.domain.base import Value
from gem_tasks.domain.recipe import Recipe
from gem_tasks.domain.take import FIRST, Take
from gem_tasks.lineage.connection import Part
from gem_tasks.lineage.rebuild import Link


class StaleRow(Value):
    """Similar segments of a partition, from the view of one stage of the chain; see the query."""

    partition: str
    frontier: int
    ord: int
    again: bool
    known: bool
    before: str | None
    segments: int


class HistoryRow(Value):
    """Averages over the results of a model in a stage."""

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
    """Queries of `pipeline.rebuild.stale`."""

    def work_left(
        self, chain: Sequence[Link], first: str | None, last: str | None, take: Take = FIRST
    ) -> list[StaleRow]:
        """Work left under the chain of a take, in a range of partitions or all."""
        return self._db.all(
            StaleRow,
            "stale",
            recipe_ids=[link.recipe_id for link in chain],
            stages=[link.stage for link in chain],
            takes=[link.takes for link in chain],
            least=[link.workflow for link in chain],
            counts=[link.counts for link in chain],
            spared_by=[link.spared_by for link in chain],
            first=first,
            last=last,
            **take.model_dump(),
        )

    def workflow_counts(self) -> dict[int, int]:
        """Texts by their number of workflows."""
        return {row["workflows"]: row["texts"] for row in self._db.rows("workflow_counts")}

    def history(self) -> list[HistoryRow]:
        """Cost of results, by stage and model."""
        return self._db.all(HistoryRow, "history")

    def pace(self) -> dict[str, PaceRow]:
        """Pace of the stages in Airflow."""
        return {row["stage"]: PaceRow.model_validate(row) for row in self._db.rows("pace")}

    def recipes_named(self, recipe_ids: Collection[str]) -> dict[str, Recipe]:
        """Recipes by id; omits unknown ids."""
        found = self._db.rows("recipes_named", recipe_ids=sorted(recipe_ids))
        return {row.pop("recipe_id"): Recipe.model_validate(row) for row in found}

    def partition_keys(self) -> list[str]:
        """All partitions, oldest first."""
        return [row["partition_key"] for row in self._db.rows("partition_keys")]

    def unpublished_partitions(self, accepting: Sequence[str], last: str) -> list[str]:
        """Partitions with accepted segments under these recipes whose current dataset has another last recipe."""
        found = self._db.rows("unpublished_partitions", recipe_ids=list(accepting), last=last)
        return [row["partition_key"] for row in found]
