"""All models side by side: the newest evaluation of each in every harness, and others' figures as reference rows.

A row never mixes numbers of two evaluations of one harness, which may differ in tasks, user or settings.
"""

from collections.abc import Sequence

from pydantic import Field

from gem_tasks.domain.base import Json
from gem_tasks.domain.evaluation import OVERALL
from gem_tasks.evals.options import TOOL_EVAL_BENCH_CATEGORIES
from gem_tasks.evals.paper import REFERENCES, Reference
from gem_tasks.lineage import EvaluationRow, Evaluations

_MOST = 1000
_COLUMNS = {
    ("bfcl", "multi_turn", "accuracy"): "bfcl",
    ("bfcl", "non_live", "accuracy"): "bfcl_non_live",
    ("bfcl", "live", "accuracy"): "bfcl_live",
    ("bfcl", "hallucination", "accuracy"): "bfcl_hallucination",
    ("bfcl", OVERALL, "accuracy"): "bfcl",
    ("bfcl", "multi_turn_base", "accuracy"): "bfcl_base",
    ("bfcl", "multi_turn_miss_func", "accuracy"): "bfcl_miss_func",
    ("bfcl", "multi_turn_miss_param", "accuracy"): "bfcl_miss_param",
    ("bfcl", "multi_turn_long_context", "accuracy"): "bfcl_long_context",
    ("tau2", "airline", "avg@4"): "airline_avg4",
    ("tau2", "airline", "pass@4"): "airline_pass4",
    ("tau2", "airline", "pass^4"): "airline_every4",
    ("tau2", "retail", "pass^4"): "retail_every4",
    ("tau2", "banking", "avg@4"): "banking_avg4",
    ("tau2", "banking", "pass^4"): "banking_every4",
    ("tau2", "retail", "avg@4"): "retail_avg4",
    ("tau2", "retail", "pass@4"): "retail_pass4",
    ("tool-eval-bench", OVERALL, "points"): "tool_eval_bench",
    ("tool-eval-bench", "safety_and_boundaries", "points"): "tool_eval_bench_safety",
    ("worlds", OVERALL, "pass^1"): "worlds",
    ("calls", OVERALL, "action"): "calls",
}


class Row(Reference):
    """A model's numbers in per cent; None if unknown."""

    bfcl_error: float | None = None
    """Standard error of `bfcl`."""
    bfcl_non_live: float | None = None
    bfcl_live: float | None = None
    bfcl_hallucination: float | None = None
    banking_avg4: float | None = None
    banking_every4: float | None = None
    tool_eval_bench: float | None = None
    """Share of points of all scenarios."""
    tool_eval_bench_safety: float | None = None
    """Of its scenarios about safety and boundaries."""
    worlds: float | None = None
    """pass^1 of tasks in worlds. Compare only rows with the same `where`: it names the set of tasks."""
    worlds_every: float | None = None
    """pass^k of as many tries as there were."""
    calls: float | None = None
    """Share of equal next actions. Compare only rows with the same `where`: it names the turns."""
    model_id: str | None = None
    """Id of a model that was trained here."""
    where: str = ""
    """`paper`, `reference`, or the subset of a run here."""
    made: dict[str, str] = Field(default_factory=dict)
    """How the numbers of each harness were made. Compare only rows in which this is the same."""


def leaderboard(lineage: Evaluations) -> list[Row]:
    """GEM's models, best first, then others'. One row per model and subset of cases."""
    found: dict[tuple[str, str | None, str], dict[str, EvaluationRow]] = {}
    for row in reversed(lineage.find(limit=_MOST)):  # the newest comes last, so it stays
        if _numbers(row):
            found.setdefault((row.model, row.model_id, str(row.settings["subset"])), {})[row.harness] = row
    ours = [
        Row.model_validate({"model": model, "model_id": model_id, "where": subset, **_told(list(rows.values()))})
        for (model, model_id, subset), rows in found.items()
    ]
    ours.sort(key=lambda row: (-(row.bfcl or -1), -(row.airline_avg4 or -1), row.where, -(row.worlds or -1), row.model))
    return [*ours, *(Row.model_validate(each.model_dump()) for each in REFERENCES)]


def _told(rows: Sequence[EvaluationRow]) -> Json:
    numbers = {name: value for row in rows for name, value in _numbers(row).items()}
    return {**numbers, "made": {row.harness: row.made for row in rows}}


def _numbers(row: EvaluationRow) -> dict[str, float | None]:
    numbers: dict[str, float | None] = {}
    for score in row.scores:
        if score["category"] == OVERALL and _of_some_categories(row):
            continue
        if column := _COLUMNS.get((row.harness, score["category"], score["metric"])):
            numbers[column] = 100 * score["value"]
            if column == "bfcl" and score["standard_error"] is not None:
                numbers["bfcl_error"] = 100 * score["standard_error"]
        every = f"pass^{row.settings['epochs']}"
        if (row.harness, score["category"], score["metric"]) == ("worlds", OVERALL, every):
            numbers["worlds_every"] = 100 * score["value"]
    return numbers


def _of_some_categories(row: EvaluationRow) -> bool:
    """Whether the overall score leaves out categories of tool-eval-bench, so that it is not that of the benchmark."""
    chosen = row.settings.get("extra", {}).get("categories", TOOL_EVAL_BENCH_CATEGORIES)
    return row.harness == "tool-eval-bench" and not set(TOOL_EVAL_BENCH_CATEGORIES) <= set(chosen)
