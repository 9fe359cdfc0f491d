"""All models side by side: the newest full evaluations of each, and the paper's figures as reference rows."""

from gem_tasks.domain.evaluation import OVERALL
from gem_tasks.evals.paper import PAPER, Reference
from gem_tasks.lineage import EvaluationRow, Evaluations

_MOST = 1000
_COLUMNS = {
    ("bfcl", OVERALL, "accuracy"): "bfcl",
    ("bfcl", "multi_turn_base", "accuracy"): "bfcl_base",
    ("bfcl", "multi_turn_miss_func", "accuracy"): "bfcl_miss_func",
    ("bfcl", "multi_turn_miss_param", "accuracy"): "bfcl_miss_param",
    ("bfcl", "multi_turn_long_context", "accuracy"): "bfcl_long_context",
    ("tau2", "airline", "avg@4"): "airline_avg4",
    ("tau2", "airline", "pass@4"): "airline_pass4",
    ("tau2", "retail", "avg@4"): "retail_avg4",
    ("tau2", "retail", "pass@4"): "retail_pass4",
    ("worlds", OVERALL, "pass^1"): "worlds",
}


class Row(Reference):
    """A model's numbers in per cent; None if unknown."""

    bfcl_error: float | None = None
    """Standard error of `bfcl`."""
    worlds: float | None = None
    """pass^1 of tasks in worlds. Compare only rows with the same `where`: it names the set of tasks."""
    worlds_every: float | None = None
    """pass^k of as many tries as there were."""
    model_id: str | None = None
    """Id of a model that was trained here."""
    where: str
    """`paper`, or the subset of a run here."""


def leaderboard(lineage: Evaluations) -> list[Row]:
    """GEM's models, best first, then the paper's. One row per model and subset of cases, with its newest numbers."""
    found: dict[tuple[str, str | None, str], dict[str, float | None]] = {}
    for row in reversed(lineage.find(limit=_MOST)):  # the newest comes last, so it stays
        found.setdefault((row.model, row.model_id, str(row.settings["subset"])), {}).update(_numbers(row))
    ours = [
        Row.model_validate({"model": model, "model_id": model_id, "where": subset, **numbers})
        for (model, model_id, subset), numbers in found.items()
        if numbers
    ]
    ours.sort(key=lambda row: (-(row.bfcl or -1), -(row.airline_avg4 or -1), row.where, -(row.worlds or -1), row.model))
    return [*ours, *(Row(**each.model_dump(), where="paper") for each in PAPER)]


def _numbers(row: EvaluationRow) -> dict[str, float | None]:
    numbers: dict[str, float | None] = {}
    for score in row.scores:
        if column := _COLUMNS.get((row.harness, score["category"], score["metric"])):
            numbers[column] = 100 * score["value"]
            if column == "bfcl" and score["standard_error"] is not None:
                numbers["bfcl_error"] = 100 * score["standard_error"]
        if (score["category"], score["metric"]) == (OVERALL, f"pass^{row.settings['epochs']}"):
            numbers["worlds_every"] = 100 * score["value"]
    return numbers
