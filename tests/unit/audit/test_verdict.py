"""What ratings come to, and when they are enough."""

from datetime import UTC, datetime

import pytest

from gem_tasks.audit.verdict import report
from gem_tasks.domain.audit import Audit, Rating, Sample


def audit(items=50, population=1000):
    return Audit(
        audit_id="a" * 12, sample=Sample(size=items), population=population, versions=("v1",), items=items,
        drawn_at=datetime(2026, 1, 31, tzinfo=UTC),
    )  # fmt: skip


def ratings(scores, rater="anna"):
    return [
        Rating(item_id=str(number), rater=rater, coherence=score, tools=4, faithfulness=3)
        for number, score in enumerate(scores)
    ]


@pytest.mark.parametrize(
    ("good", "bad", "passed"),
    [(41, 9, True), (40, 10, False), (36, 9, False), (37, 8, True), (44, 0, None), (0, 0, None)],
    ids=[
        "above the bar",
        "at the bar",
        "at the bar of nine tenths",
        "nine tenths rated",
        "too few rated",
        "none rated",
    ],
)
def test_more_than_four_fifths_of_nearly_all_drawn_items_must_be_coherent(good, bad, passed):
    assert report(audit(), ratings([5] * good + [3] * bad)).passed is passed


def test_a_small_sample_decides_only_over_a_small_population():
    assert report(audit(items=10, population=10), ratings([4] * 10)).passed is True
    found = report(audit(items=10, population=1000), ratings([5] * 10))
    assert (found.passed, "30" in found.reason) == (None, True)


def test_half_of_the_raters_are_no_majority():
    found = report(audit(items=1, population=1), [*ratings([5]), *ratings([3], "ben")])
    assert (found.qualities["coherence"].good, found.passed) == (0, False)
    more = [*ratings([5]), *ratings([3], "ben"), *ratings([4], "cleo")]
    assert report(audit(items=1, population=1), more).passed is True


def test_every_quality_has_its_rate_with_an_interval_and_agreement_on_what_all_rated():
    found = report(audit(), [*ratings([5, 5, 2, 2, 5]), *ratings([5, 4, 1, 4], "ben")])
    coherence = found.qualities["coherence"]
    assert found.raters == {"anna": 5, "ben": 4}
    assert (coherence.good, coherence.items, coherence.compared) == (3, 5, 4)
    assert coherence.low < coherence.share == 0.6 < coherence.high
    assert coherence.unanimous == 0.75
    assert coherence.kappa == pytest.approx(0.5)
    assert found.qualities["tools"].kappa is None, "all said good"
    assert found.qualities["faithfulness"].share == 0


def test_nothing_rated_has_no_rates():
    coherence = report(audit(), []).qualities["coherence"]
    assert (coherence.mean, coherence.share, coherence.low, coherence.kappa) == (None, None, None, None)
