"""Trained models and their scores, with the paper's for reference."""

from typing import Any

from gem_tasks.domain.base import Value
from gem_tasks.evals.board import Row, leaderboard
from gem_tasks.lineage import EvaluationRow
from gem_tasks.lineage.console import ConsoleRows

_MOST = 200


class Scores(Value):
    """What there is, the newest first."""

    models: tuple[dict[str, Any], ...]
    evaluations: tuple[EvaluationRow, ...]
    promotions: tuple[dict[str, Any], ...]
    """Who became champion, when and why."""
    board: tuple[Row, ...]
    """The best first, the paper's rows among them."""
    champions: frozenset[str]
    """Ids of models."""


def scores(db: ConsoleRows) -> Scores:
    """Everything at once: these tables are small."""
    models = db.models.trained()
    return Scores(
        models=tuple(models),
        evaluations=tuple(db.evaluations.find(limit=_MOST)),
        promotions=tuple(db.models.promotions()),
        board=tuple(sorted(leaderboard(db.evaluations), key=lambda row: -(row.bfcl or 0))),
        champions=frozenset(model["model_id"] for model in models if model["status"] == "champion"),
    )
