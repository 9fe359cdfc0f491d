"""Lineage of spending: what each task of a run has drawn of the run's budget."""

from typing import NamedTuple

from gem_tasks.domain.base import Value
from gem_tasks.lineage.connection import Part

_PLENTY = 1 / 8
"""The largest share of a run's remaining budget that one task draws at a time, so that the others need not stop."""


class BudgetAccount(Value):
    """Where a task's spending is kept: the run, and the task's place in it."""

    run_id: str
    recipe_id: str
    partition: str
    shard: int


class KnownAnswers(NamedTuple):
    """How many answers of a recipe are known, and the longest in tokens."""

    answers: int
    longest: int


class Budgets(Part):
    """What the budget of a stage asks and records, all amounts in USD."""

    def draw(self, account: BudgetAccount, limit: float, needed: float, wanted: float) -> float:
        """Takes `needed` USD out of what the run may spend, or nothing if there is not so much; returns what was taken.

        Up to `wanted` is taken while there is plenty, so that the caller need not come back for every call.
        """
        with self._db.transaction():
            self._db.run("lock_spending", run_id=account.run_id)
            left = limit - self.spent(account.run_id)
            if needed > left:
                return 0.0
            taken = max(needed, min(wanted, left * _PLENTY))
            self._db.run("draw", **account.model_dump(), usd=taken)
        return taken

    def spent(self, run_id: str) -> float:
        """What the tasks of a run have drawn and not handed back."""
        return self._db.one("spent", run_id=run_id)["usd"]

    def hand_back(self, account: BudgetAccount, usd: float) -> None:
        """Money that was drawn and not spent."""
        self._db.run("draw", **account.model_dump(), usd=-usd)

    def known_answers(self, partition: str, recipe_id: str) -> KnownAnswers:
        """Of a recipe, in a partition."""
        return self._db.only(KnownAnswers, "known_answers", partition=partition, recipe_id=recipe_id)
