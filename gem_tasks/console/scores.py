"""Trained models and their scores, with the paper's for reference.

The tables come with migrations of their own and grow with them: their rows are shown as they are, column by column.
A table that is not there yet has no rows.
"""

from collections.abc import Sequence, Set
from typing import Any

from gem_tasks.console.datasets import PAPER_SCORES, present
from gem_tasks.domain.base import Value
from gem_tasks.lineage.console import ConsoleRows

MODELS, EVALUATIONS, PROMOTIONS = "models", "evaluations", "promotions"


_COLUMNS = {
    ("bfcl", "overall", "accuracy"): "bfcl",
    ("bfcl", "multi_turn_base", "accuracy"): "base",
    ("bfcl", "multi_turn_miss_func", "accuracy"): "miss_func",
    ("bfcl", "multi_turn_miss_param", "accuracy"): "miss_param",
    ("bfcl", "multi_turn_long_context", "accuracy"): "long_context",
    ("tau2", "airline", "avg@4"): "airline",
    ("tau2", "retail", "avg@4"): "retail",
}
"""Which score of which harness stands in which column; every other one is on the model's own page only."""


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
    promotions: tuple[dict[str, Any], ...]
    """Who became champion, when and why."""
    board: tuple[BoardRow, ...]
    """The best first, the paper's rows among them."""


def scores(db: ConsoleRows) -> Scores:
    """Models and evaluations, as far as the lineage has the tables."""
    tables = present(db, (MODELS, EVALUATIONS, PROMOTIONS))
    models = db.rows("console_models") if MODELS in tables else []
    promotions = db.rows("console_promotions") if PROMOTIONS in tables else []
    evaluations = db.rows("console_evaluations") if EVALUATIONS in tables else []
    champions = {row["found"]["model_id"] for row in models if row["found"].get("status") == "champion"}
    ours = board_rows([row["found"] for row in evaluations], champions)
    board = [*ours, *(BoardRow(source="the paper", paper=True, **row.model_dump()) for row in PAPER_SCORES)]
    return Scores(
        models=tuple(row["found"] for row in models),
        evaluations=tuple(row["found"] for row in evaluations),
        promotions=tuple(row["found"] for row in promotions),
        board=tuple(sorted(board, key=lambda row: -(row.bfcl or 0))),
    )


def board_rows(evaluations: Sequence[dict[str, Any]], champions: Set[str]) -> list[BoardRow]:
    """One row a model and subset of cases: the newest of each number."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for row in reversed(evaluations):
        subset = str(row["settings"].get("subset", ""))
        numbers = found.setdefault((row["model_id"] or row["model"], subset), {"model": row["model"]})
        for score in row["scores"]:
            column = _COLUMNS.get((row["harness"], score["category"], score["metric"]))
            if column:
                numbers[column] = round(100 * score["value"], 2)
    return [
        BoardRow(source=f"here, {subset}" if subset else "here", champion=key in champions, **numbers)
        for (key, subset), numbers in found.items()
        if len(numbers) > 1
    ]
