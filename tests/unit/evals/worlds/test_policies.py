"""The benchmark itself: the oracle solves every case that counts, and an apology none."""

import pytest

from gem_tasks.errors import UserError
from gem_tasks.evals.options import WorldsOptions
from gem_tasks.evals.worlds.run import evaluate
from tests.unit.evals.worlds.office import CASES

OPTIONS = WorldsOptions(tries=2, seed=3, concurrency=1)


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    return {name: evaluate(name, CASES, OPTIONS, tmp_path_factory.mktemp(name)) for name in ("oracle", "apology")}


def values(report):
    return {(score.category, score.metric): score.value for score in report.scores}


def test_the_oracle_solves_everything(reports):
    assert set(values(reports["oracle"]).values()) == {1.0}
    assert reports["oracle"].measures["causes"] == {}


def test_an_apology_solves_nothing_and_where_doing_nothing_is_right_neither(reports):
    found = values(reports["apology"])
    kinds = {"plain", "event", "fault", "fault+event", "idle", "impossible"}
    assert {category for category, _ in found} == {"overall", *kinds}
    assert set(found.values()) == {0.0}
    assert reports["apology"].measures["causes"] == {"gave_up": 10, "did_not_look": 2}
    assert reports["apology"].errors == 0


def test_what_measures_nothing_is_refused_with_its_reason(reports):
    refused = {case.split("/", 1)[1]: why for case, why in reports["oracle"].measures["refused"].items()}
    assert refused.keys() == {"2/no such order", "3/nothing"}
    assert refused["2/no such order"].startswith("it cannot be carried out: $1.items.0.id")
    assert refused["3/nothing"] == "there is nothing to do or to look up"


def test_tasks_that_only_doing_nothing_solves_are_no_benchmark(tmp_path):
    idle = [case for case in CASES if case.variant.name == "only look"]
    with pytest.raises(UserError, match="a conversation without calls solves all of them"):
        evaluate("oracle", idle, OPTIONS, tmp_path)
