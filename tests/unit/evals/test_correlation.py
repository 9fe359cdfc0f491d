"""The rank correlation of next-action accuracy and benchmarks."""

from datetime import UTC, datetime

import pytest

from gem_tasks.evals.correlation import correlations, interval, spearman
from gem_tasks.lineage import EvaluationRow


def row(model, harness, value, subset="full", **settings):
    return EvaluationRow(
        evaluation_id="e", model_id=None, model=model, harness=harness,
        settings={"version": "1", "subset": subset, "mode": "native", "epochs": 1, **settings},
        scores=[{"category": "overall", "metric": "m", "value": value, "standard_error": None}],
        measures={}, seconds=1, location="", airflow_run_id=None, evaluated_at=datetime.now(UTC), tries=1, errors=0,
    )  # fmt: skip


def rows(harness, *values, **more):
    return [row(f"m{at}", harness, value, **more) for at, value in enumerate(values)]


def test_ranks_and_not_distances_count():
    assert spearman([1, 2, 3, 4], [1, 10, 100, 1000]) == pytest.approx(1)
    assert spearman([1, 2, 3], [3, 2, 1]) == pytest.approx(-1)
    assert spearman([1, 2, 3, 4, 5], [2, 1, 4, 3, 5]) == pytest.approx(0.8)
    assert spearman([1, 1, 2], [1, 2, 3]) == pytest.approx(0.8660254)
    assert spearman([1, 1, 1], [1, 2, 3]) is None


def test_few_models_prove_little():
    assert interval(1.0, 3) == (-1, 1)
    low, high = interval(0.8, 10)
    assert (low, high) == pytest.approx((0.322, 0.953), abs=0.01)


def test_the_newest_scores_of_models_that_ran_both():
    newest = [*rows("calls", 0.1, 0.2, 0.3, 0.9, subset="calls:a"), *rows("bfcl", 0.2, 0.3, 0.4)]
    (found,) = correlations([*newest, row("m0", "bfcl", 0.9), row("m9", "bfcl", 0.5)])
    assert (found.turns, found.harness, found.subset, found.models) == ("calls:a", "bfcl", "full", 3)
    assert found.rho == pytest.approx(1)


def test_scripted_answers_and_other_thinking_are_not_ranked():
    scripted = [
        row(name, harness, at) for harness in ("calls", "worlds") for at, name in enumerate(("oracle", "apology"))
    ]
    three = [*rows("calls", 0.1, 0.2, 0.3), *rows("worlds", 0.1, 0.2, 0.3)]
    assert [each.models for each in correlations([*scripted, *three])] == [3]
    other = rows("bfcl", 0.1, 0.2, 0.3, thinking=False)
    assert correlations([*rows("calls", 0.1, 0.2, 0.3, thinking=True), *other]) == []


def test_other_revisions_and_fewer_than_three_models_are_not_mixed():
    ours = rows("calls", 0.1, 0.2, 0.3)
    assert correlations([*ours, *rows("bfcl", 0.1, 0.2), row("m2", "bfcl", 0.3, version="2")]) == []
    assert correlations([*ours, *rows("synthesizer", 0.1, 0.2, 0.3), *rows("calls", 1, 2, 3, mode="prompt")]) == []
