"""Two reports of one harness: what is compared, and what never is."""

import pytest

from gem_tasks.domain.evaluation import CaseScore, EvalReport, RunSettings
from gem_tasks.evals.pairs import difference, other_tasks
from gem_tasks.evals.promotion import judge
from gem_tasks.evals.stats import average
from gem_tasks.evals.worlds.report import scores


def report(results, subset="worlds:a", model="m"):
    """Scores by `task/variant`, which begins with its kind; each of several tries."""
    cases = tuple(
        CaseScore(case_id=f"w/{case}", category=case.split("/")[1].split(" ")[0], score=score, epoch=epoch)
        for case, tries in results.items()
        for epoch, score in enumerate(tries, 1)
    )
    settings = RunSettings(version="gem-tasks 1", subset=subset, epochs=2)
    return EvalReport(harness="worlds", model=model, scores=scores(cases), cases=cases, settings=settings, seconds=1)


def tasks(solved, of=40):
    return {f"{at}/plain {name}": (float(at < solved),) * 2 for at in range(of) for name in "ab"}


def test_the_task_is_the_case_and_idle_cases_have_no_part():
    one, other = report(tasks(10) | {"0/idle": (0.0, 0.0)}), report(tasks(20) | {"0/idle": (1.0, 1.0)})
    found = difference(one, other)
    assert (found.mean, found.cases, found.metric) == (0.25, 40, "pass^1")
    assert other.score().value - one.score().value == found.mean


def test_a_model_that_does_more_tasks_is_promoted():
    verdict = judge({"worlds": report(tasks(5))}, {"worlds": report(tasks(25))})
    assert verdict.why.startswith("better in worlds: +50.00 points")


def test_scores_over_other_tasks_are_not_compared():
    one, other = report(tasks(5)), report(tasks(40), subset="worlds:b")
    with pytest.raises(ValueError, match="different sets of tasks"):
        difference(one, other)
    assert judge({"worlds": one}, {"worlds": other}).why.startswith("worlds: the two played different sets")


def tau2(revision, digest, subset="full", solved=10):
    cases = tuple(CaseScore(case_id=f"airline/{at}", category="airline", score=float(at < solved)) for at in range(40))
    settings = RunSettings(version="inspect-evals 1", subset=subset, revision=revision, tasks_sha256=digest)
    return EvalReport(
        harness="tau2", model="m", scores=average(cases, "avg@1"), cases=cases, settings=settings, seconds=1
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("1.0.0, corrected", "a" * 64), ("377cecf, before the corrections", "b" * 64)),
        (("own file", "a" * 64), ("own file", "b" * 64)),
        ((None, None), ("1.0.0, corrected", "a" * 64)),
    ],
)
def test_scores_of_different_revisions_are_not_compared_and_promote_nothing(one, other):
    champion, challenger = tau2(*one), tau2(*other, solved=40)
    with pytest.raises(ValueError, match="tasks of different revisions"):
        difference(champion, challenger)
    verdict = judge({"tau2": champion}, {"tau2": challenger})
    assert (verdict.outcome, verdict.differences) == ("kept", {})
    assert verdict.why.startswith("tau2: the two ran tasks of different revisions, ")


def test_the_reason_names_both_revisions_and_the_beginnings_of_their_hashes():
    reason = other_tasks(tau2("own file", "a" * 64), tau2(None, None))
    assert reason == "the two ran tasks of different revisions, own file #aaaaaaaa and unknown revision"


def test_other_cases_of_one_revision_are_not_another_revision():
    assert other_tasks(tau2("x", "a" * 64), tau2("x", "b" * 64, subset="smoke")) is None
    assert judge({"tau2": tau2("x", "a" * 64)}, {"tau2": tau2("x", "a" * 64, solved=40)}).outcome == "promoted"
