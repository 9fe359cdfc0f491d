"""Trained models and their scores, with the paper's for reference.

The tables come with migrations of their own and grow with them: their rows are shown as they are, column by column.
A table that is not there yet has no rows.
"""

from typing import Any

from gem_tasks.console.datasets import PAPER_SCORES, present
from gem_tasks.domain.base import Value
from gem_tasks.lineage.console import ConsoleRows

MODELS, EVALUATIONS = "models", "evaluations"


class BoardRow(Value):
    """A row of the leaderboard: per cent, None where nothing was measured."""

    model: str
    bfcl: float | None = None
    base: float | None = None
    miss_func: float | None = None
    miss_param: float | None = None
    long_context: float | None = None
    airline: float | None = None
    retail: float | None = None
    source: str
    """Where the numbers come from: a harness of ours, or the paper."""
    paper: bool = False
    champion: bool = False


class Scores(Value):
    """What there is, the newest first."""

    models: tuple[dict[str, Any], ...]
    evaluations: tuple[dict[str, Any], ...]
    board: tuple[BoardRow, ...]
    """The best first, the paper's rows among them."""


def scores(db: ConsoleRows) -> Scores:
    """Models and evaluations, as far as the lineage has the tables."""
    tables = present(db, (MODELS, EVALUATIONS))
    models = db.rows("console_models") if MODELS in tables else []
    evaluations = db.rows("console_evaluations") if EVALUATIONS in tables else []
    board = [BoardRow(source="the paper", paper=True, **row.model_dump()) for row in PAPER_SCORES]
    return Scores(
        models=tuple(row["found"] for row in models),
        evaluations=tuple(row["found"] for row in evaluations),
        board=tuple(sorted(board, key=lambda row: -(row.bfcl or 0))),
    )
