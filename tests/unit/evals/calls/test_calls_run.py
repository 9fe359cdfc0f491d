"""The benchmark itself: figures, intervals, and what constant answers get."""

import pytest

from gem_tasks.domain.promotion import Policy
from gem_tasks.errors import UserError
from gem_tasks.evals.pairs import difference
from gem_tasks.evals.promotion import judge
from tests.unit.evals.calls.bakery import CAKE, RYE, ran, values

ROWS = [{**row, "id": f"{row['id']} {at}"} for at in range(3) for row in (RYE, CAKE)]


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    return {name: ran(name, tmp_path_factory.mktemp(name), ROWS) for name in ("oracle", "apology", "constant")}


def test_the_oracle_does_everything_right(reports):
    assert set(values(reports["oracle"]).values()) == {1.0}
    assert len(reports["oracle"].cases) == 18
    assert reports["oracle"].score().metric == "action"


def test_constant_answers_are_worth_nothing(reports):
    for name in ("apology", "constant"):
        found = values(reports[name])
        assert (found["overall", "action"], found["overall", "decision"]) == (0, 0)
    assert values(reports["constant"])["call", "functions"] == 3 / 9
    assert values(reports["apology"])["speak", "spoke"] == 1
    assert values(reports["apology"])["refuse", "kind"] == 1


def test_without_a_doubt_the_interval_is_the_binomial_one(reports):
    assert reports["oracle"].score().interval == pytest.approx((0.025 ** (1 / 6), 1.0))
    assert reports["apology"].score().interval == pytest.approx((0.0, 1 - 0.025 ** (1 / 6)))


def test_another_set_of_turns_does_not_mix_with_an_unfinished_run(tmp_path):
    ran("oracle", tmp_path, [RYE])
    with pytest.raises(UserError, match="a run with different settings: subset, extra"):
        ran("oracle", tmp_path, [RYE, CAKE])


def test_a_folder_that_cannot_be_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"file cannot be made a folder: File exists. Give another --out."):
        ran("oracle", tmp_path / "file", [RYE])


def test_conversations_without_calls_measure_nothing(tmp_path):
    talk = {**CAKE, "messages": [CAKE["messages"][0], CAKE["messages"][3]]}
    with pytest.raises(UserError, match="No turn with a call counts"):
        ran("oracle", tmp_path, [talk])


def test_two_runs_differ_by_conversation(reports):
    found = difference(reports["apology"], reports["oracle"], resamples=1000)
    assert (found.mean, found.low, found.high, found.cases, found.metric) == (1.0, 1.0, 1.0, 6, "action")
    found = difference(reports["constant"], reports["oracle"], resamples=1000)
    assert found.mean == 1.0
    same = difference(reports["oracle"], reports["oracle"], resamples=1000)
    assert (same.mean, same.low, same.high, same.better) == (0, 0, 0, 0)


def test_runs_over_other_turns_are_not_compared(reports, tmp_path):
    with pytest.raises(ValueError, match="different sets"):
        difference(reports["oracle"], ran("oracle", tmp_path, [RYE]))


def test_being_better_here_alone_promotes_nobody(reports):
    pair = {"calls": reports["apology"]}, {"calls": reports["oracle"]}
    verdict = judge(*pair)
    assert verdict.outcome == "kept"
    assert verdict.why.startswith("better in calls: +100.00 points")
    assert verdict.why.endswith("which does not decide alone")
    assert judge(*pair, Policy(advisory=())).outcome == "promoted"
    assert judge(*reversed(pair)).why.startswith("worse in calls")
