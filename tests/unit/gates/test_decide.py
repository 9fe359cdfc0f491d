"""Gates follow the policy, say which number broke which bound, and do not judge a handful."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gem_tasks.domain.gate import Bound, Decision, Metrics, Policy
from gem_tasks.gates import decide
from gem_tasks.gates.decide import confirmed

BOUNDS = {
    "failed_share": (Bound(max=0.1, action="review", sample=50), Bound(max=0.3, sample=10)),
    "accepted_share": (Bound(min=0.1, action="review", sample=10),),
    "mean_messages": (Bound(min=20, max=80, action="continue", sample=10),),
}
POLICY = Policy(sha256="p", bounds={"filter": BOUNDS})


def metrics(accepted, rejected, failed, **numbers):
    total = max(accepted + rejected + failed, 1)
    shares = {"accepted_share": accepted / total, "failed_share": failed / total}
    return Metrics(stage="filter", accepted=accepted, rejected=rejected, failed=failed, numbers=shares | numbers)


@pytest.mark.parametrize(
    ("found", "action"),
    [
        (metrics(50, 45, 5), "continue"),
        (metrics(50, 38, 12), "review"),
        (metrics(20, 24, 6), "review"),
        (metrics(20, 23, 6), "continue"),  # 49 outcomes are too few for that bound
        (metrics(50, 10, 40), "halt"),
        (metrics(5, 95, 0), "review"),
        (metrics(5, 55, 40), "halt"),  # the gravest of several
        (metrics(0, 5, 4), "continue"),
        (metrics(0, 0, 3), "halt"),
        (metrics(0, 0, 0), "continue"),
        (metrics(50, 0, 0, mean_messages=10), "continue"),
    ],
)
def test_decisions(found, action):
    decision = decide(found, POLICY)
    assert decision.action == action
    assert decision.reason
    assert decision.policy_sha256 == "p"


def test_the_reason_names_number_and_bound():
    assert decide(metrics(5, 95, 0), POLICY).reason == "accepted_share is 0.05, expected at least 0.1 (100 outcomes)"
    assert (
        "mean_messages is 90, expected at least 20 and at most 80"
        in decide(metrics(50, 0, 0, mean_messages=90), POLICY).reason
    )


def test_a_number_that_was_not_measured_breaks_nothing():
    held = {each.metric: each for each in decide(metrics(50, 0, 0), POLICY).held}
    assert held["mean_messages"].number is None
    assert not held["mean_messages"].broken


@given(st.integers(0, 200), st.integers(0, 200), st.integers(0, 200))
def test_more_failures_never_make_it_milder(accepted, rejected, failed):
    gravity = ["continue", "review", "halt"]
    before, after = metrics(accepted, rejected, failed), metrics(accepted, rejected, failed + 50)
    policy = POLICY.model_copy(update={"bounds": {"filter": {"failed_share": BOUNDS["failed_share"]}}})
    assert gravity.index(decide(before, policy).action) <= gravity.index(decide(after, policy).action)


def answered(decision, action):
    return decision.model_copy(update={"action": action, "person": "ada", "reason": "fine"})


def test_what_a_person_let_pass_is_not_asked_again():
    asked = decide(metrics(5, 95, 0), POLICY)
    again = confirmed(asked, answered(asked, "continue"))
    assert (again.action, again.person) == ("continue", "ada")


@pytest.mark.parametrize(
    "last",
    [
        None,
        answered(decide(metrics(5, 95, 0), POLICY), "halt"),
        answered(decide(metrics(5, 96, 0), POLICY), "continue"),
        answered(decide(metrics(5, 95, 0), POLICY.model_copy(update={"sha256": "q"})), "continue"),
        decide(metrics(5, 95, 0), POLICY).model_copy(update={"action": "continue"}),
    ],
)
def test_other_numbers_another_policy_or_nobody_s_word_are_asked_about(last: Decision | None):
    assert confirmed(decide(metrics(5, 95, 0), POLICY), last).action == "review"


def test_a_person_does_not_lift_a_halt():
    asked = decide(metrics(50, 10, 40), POLICY)
    assert confirmed(asked, answered(asked, "continue")).action == "halt"


def test_what_no_model_was_asked_about_dilutes_no_failures():
    found = Metrics(stage="filter", rejected=8, failed=3, not_asked=8, near_duplicates=8)
    decision = decide(found, POLICY)
    assert (decision.action, decision.reason) == (
        "halt",
        "all 3 segments failed, all that the model was asked about of 11",
    )


@pytest.mark.parametrize(("asked", "action"), [(9, "continue"), (10, "halt")])
def test_a_sample_of_failures_is_what_was_asked_and_one_of_acceptances_has_no_near_duplicates(asked, action):
    found = Metrics(
        stage="filter", accepted=asked - 4, rejected=90, failed=4, not_asked=90, numbers={"failed_share": 4 / asked}
    )
    assert decide(found, POLICY).action == action
    again = Metrics(stage="filter", accepted=0, rejected=200, near_duplicates=195, numbers={"accepted_share": 0.0})
    assert decide(again, POLICY).action == "continue"
