"""Trained models and their scores, with the paper's scores for reference."""

from typing import Any

from gem_tasks.domain.base import Value
from gem_tasks.evals.board import Row, leaderboard
from gem_tasks.evals.paper import SHOWN
from gem_tasks.lineage import EvaluationRow
from gem_tasks.lineage.console import ConsoleRows

_MOST = 200


class Scores(Value):
    """Models and evaluations, newest first."""

    models: tuple[dict[str, Any], ...]
    evaluations: tuple[EvaluationRow, ...]
    promotions: tuple[dict[str, Any], ...]
    """Decisions about champions, with time and reason."""
    board: tuple[Row, ...]
    """Best first, including the rows of the paper."""
    paper_shown: str = SHOWN
    """Which of the paper's versions the board shows."""
    champions: frozenset[str]
    """Ids of champions."""


def scores(db: ConsoleRows) -> Scores:
    """All models, evaluations and decisions, because these tables are small."""
    models = db.models.trained()
    return Scores(
        models=tuple(models),
        evaluations=tuple(db.evaluations.find(limit=_MOST)),
        promotions=tuple(db.models.promotions()),
        board=tuple(sorted(leaderboard(db.evaluations), key=lambda row: -(row.bfcl or 0))),
        champions=frozenset(model["model_id"] for model in models if model["status"] == "champion"),
    )
