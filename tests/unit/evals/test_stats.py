"""Standard errors and the paired bootstrap, against distributions whose answer is known."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gem_tasks.domain.evaluation import CaseScore
from gem_tasks.evals import stats
from gem_tasks.evals.passes import passes
from gem_tasks.evals.stats import average, paired_bootstrap, resampled_ratios


def cases(scores, category="base", epochs=1):
    return [
        CaseScore(case_id=f"{category}_{at // epochs}", category=category, score=score, epoch=at % epochs + 1)
        for at, score in enumerate(scores)
    ]


def test_accuracy_has_the_standard_error_of_a_share():
    overall, base = average(cases([1.0] * 50 + [0.0] * 150))
    assert base.value == overall.value == 0.25
    assert base.standard_error == pytest.approx(math.sqrt(0.25 * 0.75 / 199))
    assert overall.standard_error == base.standard_error


def test_overall_is_the_mean_of_categories_whatever_their_size():
    overall, *_ = average([*cases([1.0] * 10), *cases([0.0] * 90, "miss_func")])
    assert overall.value == 0.5
    assert overall.cases == 100


def test_overall_error_of_equal_strata_is_that_of_one_over_the_root_of_their_number():
    half = [1.0, 0.0] * 100
    overall, first, *_ = average([case for name in "abcd" for case in cases(half, name)])
    assert overall.standard_error == pytest.approx(first.standard_error / 2)


def test_epochs_of_a_case_are_one_cluster():
    _, alike = average(cases([1.0] * 4 + [0.0] * 4, epochs=4), "avg@4")
    assert (alike.cases, alike.value) == (2, 0.5)
    assert alike.standard_error == pytest.approx(0.5)


def test_pass_at_k_counts_cases_that_any_epoch_solved():
    tries = cases([0.0, 0.0, 1.0, 0.0] + [0.0] * 4 + [1.0] * 4, epochs=4)
    assert next(score.value for score in passes(tries, "base", str) if score.metric == "pass@4") == pytest.approx(2 / 3)
    assert average(tries, "avg@4")[0].value == pytest.approx(5 / 12)


def test_one_case_has_no_standard_error_and_no_case_no_score():
    assert average(cases([1.0]))[0].standard_error is None
    assert average([]) == ()


def test_the_bootstrap_is_the_same_for_the_same_seed_and_order_does_not_matter():
    one, other = cases([0.0, 1.0, 0.0, 1.0] * 10), cases([1.0, 1.0, 0.0, 1.0] * 10)
    found = paired_bootstrap(one, other, resamples=1000)
    assert found == paired_bootstrap(one, other, resamples=1000)
    assert paired_bootstrap(one, list(reversed(other)), resamples=1000).mean == found.mean


def test_its_interval_is_that_of_the_normal_approximation_for_many_cases():
    draw = np.random.default_rng(7)
    one, other = draw.random(800).round(), draw.random(800).round()
    spread = (other - one).std(ddof=1) / math.sqrt(800)
    found = paired_bootstrap(cases(one.tolist()), cases(other.tolist()))
    assert found.low == pytest.approx(found.mean - 1.96 * spread, abs=0.004)
    assert found.high == pytest.approx(found.mean + 1.96 * spread, abs=0.004)


def test_pairing_sees_what_two_separate_intervals_do_not():
    # 30 of 200 against 40 of 200: ±5 points each, but everything the first solves the second solves too.
    one, other = cases([1.0] * 30 + [0.0] * 170), cases([1.0] * 40 + [0.0] * 160)
    first, second = average(one)[0], average(other)[0]
    assert first.value + 1.96 * first.standard_error > second.value - 1.96 * second.standard_error
    assert paired_bootstrap(one, other).low > 0


def test_equal_models_are_called_different_about_as_often_as_the_confidence_allows():
    draw = np.random.default_rng(11)
    outside = 0
    for _ in range(200):
        one, other = (cases((draw.random(100) < 0.4).astype(float).tolist()) for _ in range(2))
        found = paired_bootstrap(one, other, resamples=1000)
        outside += found.low > 0 or found.high < 0
    assert 2 <= outside <= 22  # 5 % of 200 is 10; the bounds are three standard deviations


def test_a_real_difference_of_ten_points_is_found_with_eight_hundred_cases():
    draw = np.random.default_rng(3)
    one, other = ((draw.random(800) < share).astype(float).tolist() for share in (0.3, 0.4))
    assert paired_bootstrap(cases(one), cases(other)).low > 0


@pytest.mark.parametrize("other", [cases([1.0]), cases([1.0, 1.0], "miss_func"), []])
def test_other_cases_are_refused(other):
    with pytest.raises(ValueError, match="same cases"):
        paired_bootstrap(cases([1.0, 1.0]), other)


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=40))
def test_the_interval_holds_the_mean_and_turning_the_models_round_turns_it_round(pairs):
    one, other = (cases([float(pair[side]) for pair in pairs]) for side in (0, 1))
    found, turned = (paired_bootstrap(*sides, resamples=1000) for sides in ((one, other), (other, one)))
    assert found.low - 1e-9 <= found.mean <= found.high + 1e-9
    assert turned.mean == pytest.approx(-found.mean)
    assert turned.low == pytest.approx(-found.high)


def test_how_many_are_drawn_at_a_time_limits_memory_and_changes_no_digit(monkeypatch):
    above, below = np.random.default_rng(1).integers(0, 9, (2, 3, 37)).astype(float)
    cases = [CaseScore(case_id=f"c{at}", category="a", score=at % 3 / 2) for at in range(37)]
    other = [case.model_copy(update={"score": 1 - case.score / 2}) for case in cases]
    drawn = [resampled_ratios(above, below, 700), paired_bootstrap(cases, other, resamples=700)]
    for most in (1, 37 * 13, 37 * 699):
        monkeypatch.setattr(stats, "_MOST_DRAWN", most)
        assert np.array_equal(resampled_ratios(above, below, 700), drawn[0], equal_nan=True)
        assert paired_bootstrap(cases, other, resamples=700) == drawn[1]
