"""Lineage of the stages: recipes, outcomes, what is pending, gate decisions."""

from collections.abc import Mapping, Sequence
from typing import cast

from gem_tasks.domain.base import Value
from gem_tasks.domain.gate import Decision, Metrics
from gem_tasks.domain.outcome import Outcome, OutcomeKind
from gem_tasks.domain.recipe import Recipe
from gem_tasks.errors import UNUSABLE, ErrorClass
from gem_tasks.lineage.connection import Connection, Row, columns
from gem_tasks.lineage.text import jsonb

_OUTCOME = (
    "segment_id outcome reason error_class detail doubtful calls faults prompt_tokens cached_tokens completion_tokens"
    " reasoning_tokens latency_ms usd measures"
).split()
_DETAIL_CHARS = 2000
_PLENTY = 1 / 8
"""Nobody takes more of what is left of a run's budget than this at a time, or others would have to stop for it."""


class RunContext(Value):
    """Which try of which Airflow task instance writes; all None outside Airflow."""

    run_id: str | None = None
    task_id: str | None = None
    map_index: int | None = None
    try_number: int | None = None
    last_try: bool = True
    """Whether nobody will call again if this try fails."""


class BudgetAccount(Value):
    """Where a task's spending is kept: the run, and the task's place in it."""

    run_id: str
    recipe_id: str
    partition: str
    shard: int


class EndpointState(Value):
    """How the endpoint of a stage serves a partition under a recipe, in segments."""

    answered: int
    """It sent a completion, usable or not."""
    answered_by_run: int
    """The same in this run."""
    unanswered: int
    """It sent none, and a later run asks again."""
    newly_unanswered: int
    """Those of this run that no earlier run had left so."""


class Stages(Connection):
    """What `pipeline.shard` and `pipeline.rebuild.plan` record and ask."""

    def record_recipes(self, prompts: Mapping[str, tuple[str, str]], recipes: Sequence[Recipe]) -> None:
        """Prompts (hash to name and text) and recipes in use, parents first. Known ones stay as they are."""
        with self.transaction():
            for digest, (name, text) in prompts.items():
                self.run("insert_prompts", sha256=digest, name=name, text=text)
            for recipe in recipes:
                self.run("insert_recipes", **recipe_values(recipe))

    def outcomes(self, partition: str, shard: int, recipe_id: str) -> dict[str, tuple[OutcomeKind, ErrorClass | None]]:
        """What is recorded for a shard and final, by segment id."""
        found = self.rows("outcomes", partition=partition, shard=shard, recipe_id=recipe_id)
        return {
            row["segment_id"]: (
                cast("OutcomeKind", row["outcome"]),
                ErrorClass(row["error_class"]) if row["error_class"] else None,
            )
            for row in found
        }

    def segment_ids(self, partition: str, shard: int) -> set[str]:
        """The segments of a shard."""
        return {row["segment_id"] for row in self.rows("segment_ids", partition=partition, shard=shard)}

    def commit_outcomes(
        self,
        recipe: Recipe,
        partition: str,
        shard: int,
        outcomes: Sequence[Outcome],
        object_key: str,
        run: RunContext,
    ) -> None:
        """One row per outcome, in one statement; a repeated one counts its cost on top of the earlier attempts."""
        self.run("insert_recipes", **recipe_values(recipe))
        rows = [_row(outcome) for outcome in sorted(outcomes, key=lambda outcome: outcome.segment_id)]
        self.run(
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
        """How a stage's endpoint serves a partition, and these segments, to which it brought no answer now."""
        found = self.one(
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
        return self.one("recipe_answered", recipe_id=recipe_id, unusable=[str(each) for each in UNUSABLE])["yes"]

    def count_failed_run(self, recipe_id: str, segment_ids: Sequence[str], set_aside_after: int) -> None:
        """A run ends without an answer to these segments; after `set_aside_after` of them the failure is final."""
        values = {"recipe_id": recipe_id, "segment_ids": list(segment_ids)}
        self.run("count_failed_run", **values, set_aside_after=set_aside_after)

    def draw(self, account: BudgetAccount, limit: float, needed: float, wanted: float) -> float:
        """Takes `needed` USD out of what the run may spend, or nothing if there is not so much; returns what was taken.

        Up to `wanted` is taken while there is plenty, so that the caller need not come back for every call.
        """
        with self.transaction():
            self.run("lock_spending", run_id=account.run_id)
            left = limit - self.one("spent", run_id=account.run_id)["usd"]
            if needed > left:
                return 0.0
            taken = max(needed, min(wanted, left * _PLENTY))
            self.run("draw", **account.model_dump(), usd=taken)
        return taken

    def hand_back(self, account: BudgetAccount, usd: float) -> None:
        """Money that was drawn and not spent."""
        self.run("draw", **account.model_dump(), usd=-usd)

    def known_answers(self, partition: str, recipe_id: str) -> tuple[int, int]:
        """How many answers of a recipe are known, and the longest in tokens."""
        found = self.one("known_answers", partition=partition, recipe_id=recipe_id)
        return found["answers"], found["longest"]

    def metrics(self, partition: str, recipe: Recipe) -> Metrics:
        """Counts of a stage over a partition."""
        return Metrics(stage=recipe.stage, **self.one("metrics", partition=partition, recipe_id=recipe.recipe_id))

    def gate_metrics(self, partition: str, recipe: Recipe) -> Metrics:
        """The same with every number that a gate may bound."""
        counts = self.metrics(partition, recipe)
        numbers: dict[str, float] = {}
        for row in self.rows("gate_metrics", partition=partition, recipe_id=recipe.recipe_id):
            by_class: dict[str, int] = row.pop("failed_by_class")
            numbers = {name: number for name, number in row.items() if number is not None}
            numbers |= {f"failed_share.{name}": count / counts.asked for name, count in by_class.items()}
        return counts.model_copy(update={"numbers": numbers})

    def gate_examples(self, partition: str, recipe: Recipe, outcomes: Sequence[OutcomeKind], limit: int) -> list[Row]:
        """A few results that ended so, always the same ones."""
        return self.rows(
            "gate_examples",
            partition=partition, recipe_id=recipe.recipe_id, outcomes=list(outcomes), limit=limit,
        )  # fmt: skip

    def record_decision(self, partition: str, recipe: Recipe, decision: Decision, run: RunContext) -> None:
        """A gate's decision with the numbers it was made on."""
        self.run(
            "record_decision",
            partition=partition,
            stage=recipe.stage,
            recipe_id=recipe.recipe_id,
            action=decision.action,
            reason=decision.reason,
            metrics=jsonb(decision.metrics.model_dump()),
            policy=jsonb([held.model_dump() for held in decision.held]),
            policy_sha256=decision.policy_sha256,
            person=decision.person,
            run_id=run.run_id,
        )

    def decisions(self, limit: int) -> list[Row]:
        """The newest decisions of all gates."""
        return self.rows("decisions", limit=limit)

    def last_decision(self, partition: str, recipe: Recipe) -> Decision | None:
        """What was decided last after a stage, by the policy or by a person."""
        found = self.rows("last_decision", partition=partition, recipe_id=recipe.recipe_id)
        return Decision.model_validate(found[0]) if found else None


def recipe_values(recipe: Recipe) -> Row:
    """A recipe's columns."""
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
