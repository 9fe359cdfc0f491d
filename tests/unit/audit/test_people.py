"""Checks and judge beside people, in numbers that were worked out by hand."""

import pytest

from gem_tasks.audit.kappa import weighted_kappa
from gem_tasks.audit.people import people_report
from gem_tasks.domain.gate import MinimumAgreement
from gem_tasks.domain.people import Rated, counted
from gem_tasks.pipeline.people import below

DEED, ID, ORDER, SHAPE = "claims/claimed_deed", "grounding/invented_id", "policy/order", "schema/shape"


def rated(times, *kinds, refused=False, sample="refused", weight=1.0, faults=()):
    one = Rated(
        sample=sample, weight=weight, refused=refused, kinds=frozenset(kinds), faults=frozenset(faults),
        judged=bool(faults) or sample == "trajectories",
    )  # fmt: skip
    return [one] * times


def kinds(found):
    return {each.kind: each for each in people_report(found).kinds}


def test_kappa_with_the_interval_of_fleiss_cohen_and_everitt():
    cells = [(1, True, True)] * 20 + [(1, True, False)] * 5 + [(1, False, True)] * 10 + [(1, False, False)] * 15
    # variance: (0.01156 + 0.01587 + 0.02547 - 0.0025) / (50 * 0.5 ** 4) = 0.016128, so ± 1.96 * 0.127
    assert weighted_kappa(cells) == pytest.approx((0.4, 0.1511, 0.6489), abs=1e-4)
    assert weighted_kappa([(7 * weight, one, two) for weight, one, two in cells]) == pytest.approx(
        weighted_kappa(cells)
    ), "only proportions of weights count"
    assert weighted_kappa([(1, True, True)] * 3) is None
    assert weighted_kappa([]) is None


def test_a_weight_is_worth_as_many_items_as_kish_says():
    found = counted([(3.0, True), (1.0, False)])
    assert (found.items, found.hits, found.share, found.effective) == (2, 1, 0.75, 1.6)
    assert counted([]).share is None


def test_precision_of_a_refusing_kind_is_the_share_that_people_refuse_too():
    found = kinds(rated(12, DEED, refused=True) + rated(28, DEED))[DEED]
    share = found.precision
    assert (share.hits, share.items, share.share) == (12, 40, 0.3)
    assert (share.low, share.high) == pytest.approx((0.1807, 0.4543), abs=1e-4)
    assert (found.recall, found.kappa) == (None, None), "nothing published was rated: nobody knows what is missed"
    assert found.advice == f"{DEED} agrees with people in 12 of 40 (18 to 45 %): open it instead"


def test_recall_and_kappa_weigh_both_samples_as_the_data_has_them():
    found = [
        *rated(8, DEED, refused=True, weight=5.0),  # 40 of the data's conversations
        *rated(2, DEED, weight=5.0),  # 10
        *rated(1, refused=True, sample="trajectories", weight=10.0),  # 10
        *rated(4, sample="trajectories", weight=10.0),  # 40
    ]
    deed = kinds(found)[DEED]
    assert (deed.precision.share, deed.recall.share) == (0.8, 0.8)
    assert (deed.recall.hits, deed.recall.items) == (8, 9)
    # 40, 10, 10 and 40 of 100: observed 0.8, by chance 0.5
    assert deed.kappa == pytest.approx(0.6)
    assert deed.kappa_low < 0.6 < deed.kappa_high
    unweighted = kinds([each.model_copy(update={"weight": 1.0}) for each in found])[DEED]
    assert unweighted.recall.share == pytest.approx(8 / 9), "what it would be if the samples were mixed as they are"


def test_the_judge_is_held_against_what_it_was_asked_about():
    found = [
        *rated(6, sample="trajectories"),
        *rated(2, faults=["judge_r3"], refused=True),
        *rated(2, faults=["judge_r3", "judge_open_policy"]),
        *rated(9, DEED, refused=True),  # refused by the checks: no judge saw them
    ]
    of = kinds(found)
    assert (of["judge_r3"].precision.hits, of["judge_r3"].precision.items, of["judge_r3"].severity) == (2, 4, "judge")
    assert of["judge_r3"].recall.items == 2, "the nine that it never saw are not missed"
    assert (of["judge"].precision.items, of["checks"].precision.items) == (4, 9)
    assert of["judge_open_policy"].precision.share == 0


def test_advice_takes_five_conversations_and_an_interval_that_says_so():
    assert kinds(rated(4, DEED))[DEED].advice is None
    assert kinds(rated(5, DEED))[DEED].advice == f"{DEED} agrees with people in 0 of 5 (0 to 43 %): open it instead"
    one_off = rated(19, DEED, refused=True) + rated(1, DEED)
    assert kinds(one_off)[DEED].advice is None, "95 % may well be true"
    assert kinds(rated(5, ORDER, refused=True))[ORDER].advice == (
        f"{ORDER} agrees with people in 5 of 5 (57 to 100 %): may refuse"
    )
    assert kinds(rated(4, ORDER, refused=True) + rated(1, ORDER))[ORDER].advice is None
    assert kinds(rated(9, SHAPE))[SHAPE].advice is None, "a broken schema is one, whether people see it or not"
    assert "review the judge's prompt" in kinds(rated(9, faults=["judge_r1"]))["judge_r1"].advice


def test_a_lower_bar_of_the_policy_is_the_bar_of_the_advice():
    found = rated(14, DEED, refused=True) + rated(6, DEED)
    assert any(each.advice for each in people_report(found).kinds)
    assert not any(each.advice for each in people_report(found, needed=0.6).kinds)


def test_the_policy_opens_measured_errors_below_its_bar_only():
    least = MinimumAgreement(min_precision=0.8, sample=12)
    found = [
        *rated(9, DEED, refused=True), *rated(3, DEED),  # 0.75 of 12
        *rated(8, ID, refused=True), *rated(2, ID), *rated(2, ID, refused=True),  # 0.83 of 12
        *rated(20, ORDER), *rated(20, SHAPE),  # open anyhow, and true by construction
        *rated(11, "realism/not_json"),  # one too few
    ]  # fmt: skip
    assert below(found, least) == (DEED,)
    assert below(found, MinimumAgreement(min_precision=0.9, sample=11)) == (DEED, ID, "realism/not_json")
    assert below([], least) == ()


def test_nothing_rated_is_an_empty_report():
    assert people_report([]).model_dump() == {"published": 0, "refused": 0, "people_refuse": 0, "kinds": ()}
