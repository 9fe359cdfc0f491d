"""Lineage of spending: the amounts that the tasks of a run have drawn from its budget."""

from typing import NamedTuple

from gem_tasks.domain.base import Value
from gem_tasks.lineage.connection import Part

_PLENTY = 1 / 8
"""Largest share of a run's remaining budget that one task may draw at a time, so that the others need not stop."""


class BudgetAccount(Value):
    """Identifies the spending of a task: the run, and the task's position in it."""

    run_id: str
    recipe_id: str
    partition: str
    shard: int


class KnownAnswers(NamedTuple):
    """Number of known answers of a recipe, and the longest in tokens."""

    answers: int
    longest: int


class Budgets(Part):
    """Records and queries of budgets; all amounts are in USD."""

    def draw(self, account: BudgetAccount, limit: float, needed: float, wanted: float) -> float:
        """Draws `needed` USD from the run's budget, or nothing if less is left; returns the amount.

        It draws up to `wanted` while plenty is left, so that the caller need not draw for every call.
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
        """Amount that the tasks of a run have drawn and not returned."""
        return self._db.one("spent", run_id=run_id)["usd"]

    def hand_back(self, account: BudgetAccount, usd: float) -> None:
        """Returns money that was drawn but not spent."""
        self._db.run("draw", **account.model_dump(), usd=-usd)

    def known_answers(self, partition: str, recipe_id: str) -> KnownAnswers:
        """Known answers of a recipe in a partition."""
        return self._db.only(KnownAnswers, "known_answers", partition=partition, recipe_id=recipe_id)
