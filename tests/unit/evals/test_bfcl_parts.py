"""Parts of BFCL V4: one score for each as bfcl-eval makes it, none over all, and each is compared for itself."""

import pytest

from gem_tasks.domain.evaluation import CaseScore, EvalReport, RunSettings
from gem_tasks.evals.bfcl_parts import COLLECTIONS, PARTS, by_part, expanded, holding, weights
from gem_tasks.evals.options import BfclOptions
from gem_tasks.evals.pairs import difference, parts
from gem_tasks.evals.promotion import judge
from gem_tasks.evals.stats import average


def cases(**solved):
    """Cases by category: how many are solved, of how many."""
    return tuple(
        CaseScore(case_id=f"{category}_{at}", category=category, score=float(at < good))
        for category, (good, count) in solved.items()
        for at in range(count)
    )


def report(**solved):
    found = cases(**solved)
    settings = RunSettings(version="bfcl-eval 1", subset="full")
    scores = by_part(average(found)[1:])
    return EvalReport(harness="bfcl", model="m", scores=scores, cases=found, settings=settings, seconds=1)


NON_LIVE = {
    "simple_python": (8, 10), "simple_java": (2, 10), "simple_javascript": (5, 10),
    "multiple": (10, 10), "parallel": (4, 10), "parallel_multiple": (1, 10),
}  # fmt: skip
LIVE = {"live_simple": (10, 20), "live_multiple": (60, 70), "live_parallel": (0, 5), "live_parallel_multiple": (5, 5)}


def test_non_live_takes_the_three_languages_together_and_live_counts_cases_alike():
    found = report(**NON_LIVE, **LIVE)
    assert found.score("non_live").value == pytest.approx(((0.8 + 0.2 + 0.5) / 3 + 1.0 + 0.4 + 0.1) / 4)
    assert found.score("live").value == pytest.approx(75 / 100)
    assert found.score("live").cases == 100
    assert "overall" not in {score.category for score in found.scores}


def test_a_part_has_a_score_only_if_all_its_categories_are_there():
    found = report(simple_python=(8, 10), irrelevance=(10, 20), live_irrelevance=(3, 4))
    assert [score.category for score in found.scores] == [
        "hallucination", "simple_python", "irrelevance", "live_irrelevance",
    ]  # fmt: skip
    assert found.score("hallucination").value == pytest.approx((0.5 + 0.75) / 2)


def test_the_weights_of_every_part_make_one():
    for categories in PARTS.values():
        assert sum(weights(dict.fromkeys(categories, 7)).values()) == pytest.approx(1)


def test_a_difference_weighs_categories_as_the_score_does():
    one, other = report(**LIVE), report(**(LIVE | {"live_simple": (20, 20)}))
    assert difference(one, other).mean == pytest.approx(other.score("live").value - one.score("live").value)


def test_a_gain_in_one_part_does_not_hide_a_loss_in_another():
    base = {"multi_turn_base": (20, 100), "irrelevance": (90, 100), "live_irrelevance": (90, 100)}
    trained = {"multi_turn_base": (80, 100), "irrelevance": (10, 100), "live_irrelevance": (10, 100)}
    verdict = judge({"bfcl": report(**base)}, {"bfcl": report(**trained)})
    assert (verdict.outcome, sorted(verdict.differences)) == ("kept", ["bfcl hallucination", "bfcl multi_turn"])
    assert verdict.why.startswith("worse in bfcl hallucination: -80.00 points")
    assert list(parts(report(multi_turn_base=(1, 2), multi_turn_miss_func=(1, 2)))) == ["bfcl"]


def test_names_stand_for_several_categories():
    assert expanded(["live", "live_simple", "irrelevance"]) == (*PARTS["live"], "irrelevance")
    assert len(COLLECTIONS["all"]) == len(set(COLLECTIONS["all"])) == 19
    with pytest.raises(ValueError, match="no category 'web_search_base' that GEM can run"):
        BfclOptions(categories=("web_search_base",))


def test_cases_tell_their_categories():
    assert holding(["simple_python_3", "live_simple_0-0-0", "live_parallel_multiple_1-0-0"]) == (
        "simple_python",
        "live_simple",
        "live_parallel_multiple",
    )
    assert holding(["parallel_multiple_7"]) == ("parallel_multiple",)
    assert holding(["multi_turn_base_0"]) == PARTS["multi_turn"]  # as in evaluations that exist
    assert holding(["multi_turn_base_0", "multiple_1"]) == ("multi_turn_base", "multiple")
    assert holding([]) == PARTS["multi_turn"] == holding(["unknown_1"])
