"""Intervals and agreement against published numbers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gem_tasks.audit.kappa import cohen, fleiss, kappa, unanimous
from gem_tasks.domain.interval import paired_difference, wilson

# Fleiss' kappa of 14 raters, 10 items, 5 categories: the worked example of the method, 0.210.
COUNTS = [
    (0, 0, 0, 0, 14), (0, 2, 6, 4, 2), (0, 0, 3, 5, 6), (0, 3, 9, 2, 0), (2, 2, 8, 1, 1),
    (7, 7, 0, 0, 0), (3, 2, 6, 3, 0), (2, 5, 3, 2, 2), (6, 5, 2, 1, 0), (0, 2, 2, 3, 7),
]  # fmt: skip


def pairs(both_yes, only_first, only_second, both_no):
    return [(1, 1)] * both_yes + [(1, 0)] * only_first + [(0, 1)] * only_second + [(0, 0)] * both_no


def test_cohens_kappa_of_the_textbook_example():
    assert cohen(pairs(20, 5, 10, 15)) == pytest.approx(0.4)


def test_cohens_kappa_tells_raters_with_equal_agreement_but_other_leanings_apart():
    assert cohen(pairs(45, 15, 25, 15)) == pytest.approx(0.1304, abs=1e-4)
    assert cohen(pairs(25, 35, 5, 35)) == pytest.approx(0.2593, abs=1e-4)


def test_fleiss_kappa_of_the_worked_example():
    items = [[category for category, count in enumerate(row) for _ in range(count)] for row in COUNTS]
    assert fleiss(items) == pytest.approx(0.210, abs=5e-4)


def test_agreement_that_chance_explains_wholly_is_undefined():
    assert kappa([(1, 1), (1, 1)]) is None
    assert kappa([(1, 1, 1)]) is None


def test_a_single_rater_agrees_with_nobody():
    assert kappa([]) is None
    assert kappa([(1,), (0,)]) is None
    assert unanimous([]) is None


def test_a_missing_answer_is_refused():
    with pytest.raises(ValueError, match="every rater"):
        kappa([(1, 0), (1,)])


@given(st.integers(2, 4).flatmap(lambda n: st.lists(st.lists(st.booleans(), min_size=n, max_size=n), min_size=1)))
def test_kappa_stays_between_minus_one_and_one_and_is_one_only_without_dissent(items):
    found = kappa(items)
    if found is not None:
        assert -1 - 1e-9 <= found <= 1 + 1e-9
        assert (found > 1 - 1e-9) == (unanimous(items) == 1)


def test_wilson_of_published_numbers():
    # Newcombe 1998 (Statistics in Medicine 17, 857-872), table I, method 3.
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson(15, 148) == pytest.approx((0.0624, 0.1605), abs=5e-5)
    assert wilson(0, 20) == pytest.approx((0.0, 0.1611), abs=5e-5)
    assert wilson(1, 29) == pytest.approx((0.0061, 0.1718), abs=5e-5)


@given(st.integers(1, 10_000).flatmap(lambda total: st.tuples(st.integers(0, total), st.just(total))))
def test_the_interval_holds_the_share_and_stays_a_share(counted):
    hits, total = counted
    low, high = wilson(hits, total)
    assert 0 <= low <= hits / total + 1e-12
    assert hits / total - 1e-12 <= high <= 1


def test_a_share_of_nothing_is_refused():
    for hits, total in ((0, 0), (3, 2), (-1, 2)):
        with pytest.raises(ValueError, match="not a valid share"):
            wilson(hits, total)


def test_a_paired_difference_has_its_interval_around_it():
    difference, low, high = paired_difference(5, 15, 100)
    assert difference == pytest.approx(0.1)
    assert -0.01 < low < 0.1 < high < 0.2
    assert paired_difference(0, 0, 10)[0] == 0
    with pytest.raises(ValueError, match="not valid shares"):
        paired_difference(6, 5, 10)
