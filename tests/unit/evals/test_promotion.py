"""The gate: better with confidence, or kept; and nothing is concluded from what cannot be compared."""

import pytest

from gem_tasks.domain.evaluation import CaseScore, EvalReport, RunSettings
from gem_tasks.domain.promotion import Policy
from gem_tasks.evals.promotion import judge
from gem_tasks.evals.stats import average


def report(solved, of=200, harness="bfcl", errors=0, **settings):
    made = tuple(
        CaseScore(
            case_id=f"c{at}", category="base", score=float(at < solved), error="gone" if at >= of - errors else None
        )
        for at in range(of)
    )
    settings = {"version": "bfcl-eval 1", "subset": "full", **settings}
    return EvalReport(
        harness=harness,
        model="m",
        scores=average(made),
        cases=made,
        settings=RunSettings.model_validate(settings),
        seconds=1,
    )


def outcome(champion, challenger, **policy):
    pair = [{each.harness: each for each in side} for side in (champion, challenger)]
    return judge(*pair, Policy(**policy))


def test_better_with_confidence_is_promoted_and_says_by_how_much():
    verdict = outcome([report(40)], [report(60)])
    assert verdict.outcome == "promoted"
    assert verdict.why.startswith("better in bfcl: +10.00 points [")
    assert verdict.differences["bfcl"].cases == 200


@pytest.mark.parametrize("solved", [0, 60])
def test_equal_is_kept(solved):
    verdict = outcome([report(solved)], [report(solved)])
    assert verdict.outcome == "kept"
    assert "not better with confidence" in verdict.why


def test_better_by_chance_is_kept():
    assert outcome([report(60)], [report(62)]).outcome == "kept"


def test_worse_in_one_harness_is_kept_however_much_better_in_another():
    verdict = outcome([report(40), report(60, harness="tau2")], [report(90), report(20, harness="tau2")])
    assert verdict.outcome == "kept"
    assert verdict.why.startswith("worse in tau2")


def test_more_harnesses_ask_for_more_confidence_in_each():
    alone = outcome([report(40)], [report(60)])
    both = outcome([report(40), report(9, harness="tau2")], [report(60), report(9, harness="tau2")])
    assert alone.differences["bfcl"].confidence == pytest.approx(0.95)
    assert both.differences["bfcl"].confidence == pytest.approx(0.975)
    assert both.differences["bfcl"].low <= alone.differences["bfcl"].low


@pytest.mark.parametrize(
    ("challenger", "why"),
    [
        (report(90, seed=3), "different seed"),
        (report(90, mode="prompt"), "different mode"),
        (report(90, version="bfcl-eval 2"), "different version"),
        (report(90, of=199), "did not run the same cases"),
        (report(90, errors=5), "5 of 200 tries of the challenger failed outside the model"),
        (report(90, harness="tau2"), "share no harness"),
    ],
)
def test_what_cannot_be_compared_is_kept_with_the_reason(challenger, why):
    verdict = outcome([report(10)], [challenger])
    assert verdict.outcome == "kept"
    assert why in verdict.why


def test_the_verdict_is_the_same_each_time():
    assert outcome([report(40)], [report(52)]) == outcome([report(40)], [report(52)])
