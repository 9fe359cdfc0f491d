"""Lineage of the stages: recipes, outcomes, and the state of their endpoints."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from gem_tasks.domain.base import Value
from gem_tasks.domain.outcome import Outcome, OutcomeKind
from gem_tasks.domain.recipe import Recipe
from gem_tasks.domain.take import FIRST, Take
from gem_tasks.errors import UNUSABLE, ErrorClass
from gem_tasks.lineage.connection import Part, Row, columns
from gem_tasks.lineage.text import jsonb

_OUTCOME = (
    "segment_id outcome reason error_class detail doubtful calls faults prompt_tokens cached_tokens completion_tokens"
    " reasoning_tokens latency_ms usd measures"
).split()
_DETAIL_CHARS = 2000


class RunContext(Value):
    """The try of the Airflow task instance that writes; all None outside Airflow."""

    run_id: str | None = None
    task_id: str | None = None
    map_index: int | None = None
    try_number: int | None = None
    last_try: bool = True
    """Whether no retry follows if this try fails."""


class Ended(NamedTuple):
    """The outcome of a segment in a stage, with its error class if it failed."""

    outcome: OutcomeKind
    error_class: ErrorClass | None


class EndpointState(Value):
    """State of a stage's endpoint for a partition under a recipe, in numbers of segments."""

    answered: int
    """Segments with a completion, usable or not."""
    answered_by_run: int
    """The same in this run."""
    unanswered: int
    """Segments without a completion, which a later run retries."""
    newly_unanswered: int
    """Segments of this run without a completion that no earlier run had left unanswered."""


class Stages(Part):
    """Recipes in use and the outcomes of a stage over a shard."""

    def record_recipes(self, prompts: Mapping[str, tuple[str, str]], recipes: Sequence[Recipe]) -> None:
        """Records prompts (hash to name and text) and recipes in use, parents first. Known ones do not change."""
        with self._db.transaction():
            for digest, (name, text) in prompts.items():
                self._db.run("insert_prompts", sha256=digest, name=name, text=text)
            for recipe in recipes:
                self._db.run("insert_recipes", **recipe_values(recipe))

    def outcomes(
        self, partition: str, shard: int, recipe_id: str, least: int = 0, counts: str = "workflows"
    ) -> dict[str, Ended]:
        """Final outcomes of a shard, by segment id; only those with more than `least` of what a measure counts."""
        place = {"partition": partition, "shard": shard, "recipe_id": recipe_id}
        found = self._db.rows("outcomes", **place, least=least, counts=counts)
        return {
            row["segment_id"]: Ended(row["outcome"], ErrorClass(row["error_class"]) if row["error_class"] else None)
            for row in found
        }

    def uncounted(self, partition: str, shard: int, recipe_id: str) -> set[str]:
        """Texts with workflows that GEM has not counted, by a recipe of `extract`."""
        place = {"partition": partition, "shard": shard, "recipe_id": recipe_id}
        return {row["segment_id"] for row in self._db.rows("uncounted", **place)}

    def count_workflows(self, partition: str, recipe_id: str, counts: Mapping[str, int]) -> None:
        """Records how many workflows texts have, by segment id."""
        place = {"partition": partition, "recipe_id": recipe_id}
        self._db.run("count_workflows", **place, segment_id=list(counts), workflows=list(counts.values()))

    def take_of(self, recipe_id: str) -> Take:
        """Which conversation of a text a recipe makes; the first one for a recipe before `generate`."""
        return self._db.first(Take, "take_of", recipe_id=recipe_id) or FIRST

    def segment_ids(self, partition: str, shard: int) -> set[str]:
        """The segments of a shard."""
        return {row["segment_id"] for row in self._db.rows("segment_ids", partition=partition, shard=shard)}

    def commit_outcomes(
        self,
        recipe: Recipe,
        partition: str,
        shard: int,
        outcomes: Sequence[Outcome],
        object_key: str,
        run: RunContext,
    ) -> None:
        """Records one row per outcome, in one statement; a repeated one adds its cost to that of earlier attempts."""
        self._db.run("insert_recipes", **recipe_values(recipe))
        rows = [_row(outcome) for outcome in sorted(outcomes, key=lambda outcome: outcome.segment_id)]
        self._db.run(
            "upsert_outcomes",
            recipe_id=recipe.recipe_id,
            stage=recipe.stage,
            partition=partition,
            shard=shard,
            object_key=object_key,
            **run.model_dump(),
            **columns(rows, _OUTCOME),
        )

    def endpoint_state(
        self, partition: str, recipe_id: str, segment_ids: Sequence[str], run: RunContext
    ) -> EndpointState:
        """State of a stage's endpoint for a partition, and for these segments, which got no answer now."""
        found = self._db.one(
            "endpoint_state",
            partition=partition,
            recipe_id=recipe_id,
            segment_ids=list(segment_ids),
            run_id=run.run_id,
            unusable=[str(each) for each in UNUSABLE],
        )
        return EndpointState.model_validate(found)

    def recipe_answered(self, recipe_id: str) -> bool:
        """Whether a model has ever answered under the recipe."""
        return self._db.one("recipe_answered", recipe_id=recipe_id, unusable=[str(each) for each in UNUSABLE])["yes"]

    def count_failed_run(
        self, partition: str, recipe_id: str, segment_ids: Sequence[str], set_aside_after: int
    ) -> None:
        """Counts a run without an answer to these segments; after `set_aside_after` runs the failure is final."""
        values = {"partition": partition, "recipe_id": recipe_id, "segment_ids": list(segment_ids)}
        self._db.run("count_failed_run", **values, set_aside_after=set_aside_after)


def recipe_values(recipe: Recipe) -> Row:
    """The columns of a recipe."""
    return recipe.model_dump() | {"params": jsonb(recipe.params), "recipe_id": recipe.recipe_id}


def _row(outcome: Outcome) -> dict[str, object]:
    cost = outcome.cost
    return {
        **outcome.model_dump(include={"segment_id", "reason", "error_class"}),
        "detail": outcome.detail[:_DETAIL_CHARS],
        "outcome": outcome.kind,
        "doubtful": outcome.doubtful,
        "calls": cost.calls,
        "faults": jsonb(cost.faults),
        "latency_ms": round(cost.latency_s * 1000),
        "usd": cost.usd,
        "measures": jsonb(outcome.measures) if outcome.measures else None,
        **cost.usage.model_dump(),
    }
