"""The board: one evaluation of a harness in a row, how it was made, and others' figures with their sources."""

from datetime import UTC, datetime

from gem_tasks.evals.board import leaderboard
from gem_tasks.evals.options import TOOL_EVAL_BENCH_CATEGORIES
from gem_tasks.evals.paper import REFERENCES
from gem_tasks.lineage import EvaluationRow


class Evaluations:
    def __init__(self, *rows):
        self.rows = rows

    def find(self, limit):
        return list(self.rows)


def score(category, metric, value):
    return {"category": category, "metric": metric, "value": value, "standard_error": None, "cases": 1}


def row(harness, *scores, **settings):
    return EvaluationRow(
        evaluation_id="e", model_id=None, model="m", harness=harness,
        settings={"version": "bfcl-eval 1", "subset": "full", "epochs": 4, **settings}, scores=list(scores),
        measures={}, seconds=1, location="", airflow_run_id=None, evaluated_at=datetime.now(UTC), tries=1, errors=0,
    )  # fmt: skip


def ours(*newest_first):
    return [each for each in leaderboard(Evaluations(*newest_first)) if not each.source]


def test_a_row_has_the_newest_evaluation_of_each_harness_and_never_numbers_of_two():
    old = row("tau2", score("airline", "avg@4", 0.9), score("retail", "avg@4", 0.9), revision="before the corrections")
    new = row("tau2", score("airline", "avg@4", 0.5), score("airline", "pass^4", 0.25), revision="corrected")
    calls = row("bfcl", score("multi_turn", "accuracy", 0.4), score("live", "accuracy", 0.7))
    (found,) = ours(new, calls, old)
    assert (found.airline_avg4, found.airline_every4, found.retail_avg4) == (50, 25, None)
    assert (found.bfcl, found.bfcl_live) == (40, 70)
    assert "tasks: corrected" in found.made["tau2"]
    assert found.made["bfcl"].startswith("bfcl-eval 1; tasks: unknown revision; full; ")


def test_pass_k_of_another_harness_is_not_that_of_worlds():
    scripted = row("tool-eval-bench", score("overall", "points", 0.8), score("overall", "pass^4", 0.5))
    (found,) = ours(scripted, row("tau2", score("airline", "avg@4", 0.5), score("overall", "pass^4", 0.25)))
    assert (found.tool_eval_bench, found.airline_avg4, found.worlds_every) == (80, 50, None)


def test_others_figures_have_a_source_with_a_date_and_stand_below_ours():
    board = leaderboard(Evaluations(row("bfcl", score("multi_turn", "accuracy", 0.01))))
    assert [bool(each.source) for each in board] == [False] + [True] * len(REFERENCES)
    assert all("202" in each.source and each.where in ("paper", "reference") for each in board[1:])
    assert next(each for each in board if each.model == "GEM-32B").source.startswith("arXiv 2601.10355 v1")


def test_every_source_of_others_has_a_name_and_an_address():
    nameless = [each.model for each in REFERENCES if not (each.origin and each.origin.url.startswith("https://"))]
    assert nameless == []


def test_the_overall_score_of_some_categories_is_not_that_of_tool_eval_bench():
    found = [score("overall", "points", 0.9), score("safety_and_boundaries", "points", 0.9)]
    some = row("tool-eval-bench", *found, extra={"categories": ["safety_and_boundaries"]})
    (shown,) = ours(some)
    assert (shown.tool_eval_bench, shown.tool_eval_bench_safety) == (None, 90)
    (shown,) = ours(row("tool-eval-bench", *found, extra={"categories": list(TOOL_EVAL_BENCH_CATEGORIES)}))
    assert shown.tool_eval_bench == 90
