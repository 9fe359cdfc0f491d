"""Intervals and agreement against values worked out elsewhere; samples that depend on the seed alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gem_tasks.domain.audit import Rating
from gem_tasks.gates.agreement import draw, kappa, report, wilson


@pytest.mark.parametrize(
    ("good", "of", "low", "high"),
    # https://www.statsmodels.org: proportion_confint(method="wilson")
    [(0, 10, 0.0, 0.2775), (5, 10, 0.2366, 0.7634), (10, 10, 0.7225, 1.0), (41, 50, 0.6920, 0.9023)],
)
def test_wilson(good, of, low, high):
    found = wilson(good, of)
    assert (found.low, found.high) == (pytest.approx(low, abs=1e-4), pytest.approx(high, abs=1e-4))


def test_no_ratings_no_share():
    assert wilson(0, 0).share is None


def test_cohen():
    # Cohen's textbook table: 20 both yes, 5 and 10 apart, 15 both no
    items = [("y", "y")] * 20 + [("y", "n")] * 5 + [("n", "y")] * 10 + [("n", "n")] * 15
    assert kappa(items) == pytest.approx(0.4)


def test_fleiss():
    # Fleiss 1971, as on Wikipedia: ten subjects, fourteen raters, five categories
    table = [
        (0, 0, 0, 0, 14), (0, 2, 6, 4, 2), (0, 0, 3, 5, 6), (0, 3, 9, 2, 0), (2, 2, 8, 1, 1),
        (7, 7, 0, 0, 0), (3, 2, 6, 3, 0), (2, 5, 3, 2, 2), (6, 5, 2, 1, 0), (0, 2, 2, 3, 7),
    ]  # fmt: skip
    items = [[name for name, count in enumerate(row) for _ in range(count)] for row in table]
    assert kappa(items) == pytest.approx(0.210, abs=0.001)


@pytest.mark.parametrize("items", [[], [("y",)], [("y", "y"), ("y", "y")]])
def test_nothing_to_agree_on(items):
    assert kappa(items) is None


@given(
    st.dictionaries(
        st.text(max_size=3), st.lists(st.text(min_size=1, max_size=8), max_size=20, unique=True), max_size=5
    ),
    st.integers(1, 60),
    st.integers(0, 5),
)
def test_a_sample_is_proportional_and_depends_on_the_seed_alone(strata, size, seed):
    found = draw(strata, size, seed)
    total = sum(map(len, strata.values()))
    assert len(found) == len(set(found)) == min(size, total)
    for name, ids in strata.items():
        taken = [id_ for stratum, id_ in found if stratum == name]
        assert set(taken) <= set(ids)
        assert abs(len(taken) - min(size, total) * len(ids) / max(total, 1)) < 1
    assert draw({name: list(reversed(ids)) for name, ids in strata.items()}, size, seed) == found


def test_other_seeds_draw_others():
    strata = {"a": [str(number) for number in range(1000)]}
    assert draw(strata, 50, 1) != draw(strata, 50, 2)


def rated(*grades, rater="ada"):
    return [
        Rating(item=item, rater=rater, coherence=grade, relevance=5, faithfulness=3)
        for item, grade in enumerate(grades)
    ]


def test_a_sample_passes_when_all_is_rated_and_more_than_four_fifths_is_coherent():
    def passed(*grades, items=5):
        return report(1, "trajectories", None, items, rated(*grades)).passed

    assert passed(5, 4, 4, 5, 4)
    assert not passed(5, 4, 4, 5, 3)  # exactly 80 %
    assert not passed(5, 5, 5, 5)
    assert not passed(items=0)


def test_means_of_several_raters_count():
    found = report(1, "segments", None, 2, rated(5, 2) + rated(3, 5, rater="bob"))
    assert found.criteria["coherence"].good == 1
    assert found.raters == ("ada", "bob")
    assert found.kappa["coherence"] == -1
    assert found.kappa["relevance"] is None
