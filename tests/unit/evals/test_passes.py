"""pass^k and pass@k, against all choices of k tries; intervals, against distributions whose answer is known."""

import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gem_tasks.domain.evaluation import CaseScore
from gem_tasks.evals.passes import all_of, any_of, interval, interval_of_strata, passes, passes_by_category


def tries(case, *results):
    return [CaseScore(case_id=case, category="plain", score=score, epoch=at) for at, score in enumerate(results, 1)]


def task_of(case):
    return case.split("/")[0]


def found(*several):
    return {score.metric: score for score in passes([each for cases in several for each in cases], "overall", task_of)}


@given(st.integers(1, 7), st.data())
def test_they_are_means_over_all_choices_of_k_tries(n, data):
    solved, k = data.draw(st.integers(0, n)), data.draw(st.integers(1, n))
    choices = list(combinations([1] * solved + [0] * (n - solved), k))
    assert all_of(n, solved, k) == pytest.approx(sum(map(all, choices)) / len(choices))
    assert any_of(n, solved, k) == pytest.approx(sum(map(any, choices)) / len(choices))


def test_variants_count_within_their_task_and_tasks_count_alike():
    scores = found(tries("a/x", 1, 1), tries("a/y", 1, 0), tries("b/x", 0, 0))
    assert {metric: score.value for metric, score in scores.items()} == {
        "pass^1": pytest.approx((0.75 + 0) / 2), "pass^2": pytest.approx((0.5 + 0) / 2), "pass@2": pytest.approx(0.5),
    }  # fmt: skip
    assert scores["pass^1"].cases == 2
    assert scores["pass^1"].standard_error == pytest.approx(0.375)


def test_one_try_has_no_pass_at_k_and_no_case_no_score():
    assert list(found(tries("a/x", 1))) == ["pass^1"]
    assert found() == {}


def test_the_interval_is_that_of_the_normal_approximation_for_many_tasks():
    tasks = np.random.default_rng(5).choice([0.0, 0.5, 1.0], 600).tolist()
    low, high = interval(tasks)
    spread = 1.96 * np.std(tasks, ddof=1) / math.sqrt(600)
    assert (low, high) == (
        pytest.approx(np.mean(tasks) - spread, abs=0.003), pytest.approx(np.mean(tasks) + spread, abs=0.003)
    )  # fmt: skip


def test_unanimous_tasks_have_the_exact_binomial_interval():
    assert interval([1.0] * 10) == (pytest.approx(0.6915, abs=1e-4), 1.0)
    assert interval([0.0] * 10) == (0.0, pytest.approx(0.3085, abs=1e-4))
    assert interval([1.0]) == (pytest.approx(0.025), 1.0)
    assert interval([0.5]) is None


def domain(name, *tasks):
    rows = [(f"{name}/{at}", each) for at, each in enumerate(tasks)]
    return [
        CaseScore(case_id=case, category=name, score=score, epoch=epoch)
        for case, results in rows
        for epoch, score in enumerate(results, 1)
    ]


def test_overall_is_the_mean_of_the_categories_for_every_k_and_each_category_has_its_own():
    cases = [*domain("airline", (1, 1), (1, 0)), *domain("retail", (0, 1), (0, 0), (0, 0), (1, 1))]
    scores = {(score.category, score.metric): score for score in passes_by_category(cases)}
    assert list(scores)[:3] == [("overall", "pass^1"), ("overall", "pass^2"), ("overall", "pass@2")]
    airline, retail = (0.75, 0.5, 1.0), (0.375, 0.25, 0.5)
    for metric, one, other in zip(("pass^1", "pass^2", "pass@2"), airline, retail, strict=True):
        assert scores["airline", metric].value == pytest.approx(one)
        assert scores["retail", metric].value == pytest.approx(other)
        assert scores["overall", metric].value == pytest.approx((one + other) / 2)
    assert scores["overall", "pass^1"].cases == 6
    low, high = scores["overall", "pass^2"].interval
    assert low < scores["overall", "pass^2"].value < high


def test_the_interval_of_the_mean_of_two_strata_is_that_of_the_normal_approximation():
    draw = np.random.default_rng(3)
    strata = [draw.choice([0.0, 1.0], 400).tolist(), draw.choice([0.0, 1.0], 900, p=[0.8, 0.2]).tolist()]
    spread = 1.96 * math.sqrt(sum(np.var(tasks, ddof=1) / len(tasks) for tasks in strata)) / 2
    low, high = interval_of_strata(strata)
    middle = np.mean([np.mean(tasks) for tasks in strata])
    assert (low, high) == (pytest.approx(middle - spread, abs=0.003), pytest.approx(middle + spread, abs=0.003))


def test_strata_that_were_always_solved_count_as_many_tasks_as_the_smallest_allows():
    assert interval_of_strata([[1.0] * 5, [1.0] * 50]) == interval([1.0] * 10)


def test_a_stratum_that_was_always_solved_is_not_certain_beside_another():
    low, high = interval_of_strata([[0.0] * 10, [1.0] * 10])
    assert 0.35 < low < 0.4
    assert 0.6 < high < 0.65
