"""Lineage of the gates: a stage's numbers for a partition, and the decisions about them."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from gem_tasks.domain.gate import Decision, Metrics
from gem_tasks.domain.outcome import OutcomeKind
from gem_tasks.domain.recipe import Recipe
from gem_tasks.lineage.connection import Part
from gem_tasks.lineage.stages import RunContext
from gem_tasks.lineage.text import jsonb


class GateExample(NamedTuple):
    """A result that a person sees before deciding."""

    segment_id: str
    shard: int
    uri: str
    outcome: OutcomeKind
    reason: str | None
    """Reason or error class."""
    detail: str


class DecisionRow(NamedTuple):
    """A decision in a list."""

    decided_at: datetime
    partition: str
    stage: str
    action: str
    person: str | None
    """None if the policy decided."""
    reason: str
    policy_sha256: str


class Gates(Part):
    """Numbers, examples and decisions of a gate."""

    def metrics(self, partition: str, recipe: Recipe) -> Metrics:
        """Counts of a stage over a partition."""
        return Metrics(stage=recipe.stage, **self._db.one("metrics", partition=partition, recipe_id=recipe.recipe_id))

    def all_metrics(self, partition: str, recipe: Recipe) -> Metrics:
        """The same, with every number that a policy may limit."""
        counts = self.metrics(partition, recipe)
        numbers: dict[str, float] = {}
        for row in self._db.rows("gate_metrics", partition=partition, recipe_id=recipe.recipe_id):
            by_class: dict[str, int] = row.pop("failed_by_class")
            numbers = {name: number for name, number in row.items() if number is not None}
            numbers |= {f"failed_share.{name}": count / counts.asked for name, count in by_class.items()}
        return counts.model_copy(update={"numbers": numbers})

    def examples(
        self, partition: str, recipe: Recipe, outcomes: Sequence[OutcomeKind], limit: int
    ) -> list[GateExample]:
        """A few results with these outcomes, always the same ones."""
        return self._db.all(
            GateExample, "gate_examples",
            partition=partition, recipe_id=recipe.recipe_id, outcomes=list(outcomes), limit=limit,
        )  # fmt: skip

    def record_decision(self, partition: str, recipe: Recipe, decision: Decision, run: RunContext) -> None:
        """Records a gate's decision with its numbers."""
        self._db.run(
            "record_decision",
            partition=partition,
            stage=decision.metrics.stage,
            recipe_id=recipe.recipe_id,
            action=decision.action,
            reason=decision.reason,
            metrics=jsonb(decision.metrics.model_dump()),
            policy=jsonb([held.model_dump() for held in decision.held]),
            policy_sha256=decision.policy_sha256,
            person=decision.person,
            run_id=run.run_id,
        )

    def decisions(self, limit: int) -> list[DecisionRow]:
        """The newest decisions of all gates."""
        return self._db.all(DecisionRow, "decisions", limit=limit)

    def last_decision(self, partition: str, recipe: Recipe, stage: str | None = None) -> Decision | None:
        """The last decision after a recipe's stage, or about the datasets made with it, by the policy or a person."""
        return self._db.first(
            Decision, "last_decision",
            partition=partition, recipe_id=recipe.recipe_id, stage=stage or recipe.stage,
        )  # fmt: skip
