"""The real harnesses against endpoints whose score is known: the ground truth solves all, knowing nothing none."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from gem_tasks.distill.experiment import options_of, plan
from gem_tasks.distill.run import run
from gem_tasks.domain.evaluation import Endpoint, EvalReport
from gem_tasks.errors import UserError
from gem_tasks.evals import bfcl, tau2
from gem_tasks.evals.bfcl_parts import COLLECTIONS, PARTS
from gem_tasks.evals.environment import ensure, installed
from gem_tasks.evals.options import BFCL_CATEGORIES, BfclOptions, Tau2Options
from gem_tasks.store import keys
from tests.integration.environments import HOME
from tests.oracles import bfcl as bfcl_oracle
from tests.oracles import tau2 as tau2_oracle
from tests.oracles.server import dumb, serving, strict

MULTI_TURN_IDS = tuple(f"{category}_{number}" for category in BFCL_CATEGORIES for number in (3, 77))
BFCL_IDS = (
    *MULTI_TURN_IDS, "simple_python_5", "simple_java_0", "simple_javascript_0", "multiple_3", "parallel_4",
    "parallel_multiple_5", "live_simple_0-0-0", "live_multiple_1-0-1", "live_parallel_0-0-0",
    "live_parallel_multiple_0-0-0", "irrelevance_1", "live_irrelevance_0-0-0", "live_relevance_0-0-0",
    "memory_kv_0-customer-0", "memory_rec_sum_0-customer-0",
)  # fmt: skip
"""Some of every category."""
TAU2_DOMAINS = ("airline", "retail", "banking")
TAU2_IDS = ("airline/8", "retail/0", "banking/task_023")
"""Tasks whose reference actions change the database: doing nothing solves none. In banking the customer acts, too."""


def package(name, path):
    """A folder of a package in a harness's environment, which is made first."""
    python = ensure(HOME, name)
    return next(python.parents[1].glob(f"lib/python3*/site-packages/{path}"))


def together(run, *models):
    """The runs at the same time: most of each is imports."""
    with ThreadPoolExecutor(len(models)) as pool:
        return [future.result() for future in [pool.submit(run, model) for model in models]]


def test_bfcl_the_oracle_solves_every_case_the_dumb_endpoint_none_and_a_failing_one_is_no_result(tmp_path):
    data = package("bfcl", "bfcl_eval/data")
    assert installed(HOME, "bfcl")

    def run(model):
        options = BfclOptions(ids=BFCL_IDS, categories=COLLECTIONS["all"], concurrency=4, seed=7)
        try:
            return bfcl.evaluate(Endpoint(base_url=url, model=model), options, tmp_path / model, home=HOME)
        except UserError as error:
            return error

    models = {
        "oracle": strict(bfcl_oracle.oracle(data)),
        "dumb": bfcl_oracle.nothing,
        "failing": lambda body, headers: 400,
    }
    with serving(**models) as url:
        oracle, nothing, failing = together(run, *models)
    assert isinstance(oracle, EvalReport)
    assert all(score.value >= 0.95 for score in oracle.scores)
    assert all(score.value <= 0.05 for score in nothing.scores)
    assert sorted(case.case_id for case in oracle.cases) == sorted(BFCL_IDS)
    parts = [name for name, categories in PARTS.items() if len(categories) > 1]
    assert [score.category for score in oracle.scores] == [*parts, *COLLECTIONS["all"]]
    assert oracle.score("multi_turn").cases == 8
    assert (oracle.errors, oracle.settings.seed, oracle.settings.mode) == (0, 7, "native")
    assert (oracle.settings.temperature, nothing.settings.temperature) == (None, 0.001)
    assert oracle.settings.revision == oracle.settings.version == nothing.settings.version
    assert oracle.settings.tasks_sha256 == nothing.settings.tasks_sha256 is not None
    assert EvalReport.model_validate_json((tmp_path / "oracle" / "report.json").read_text()) == oracle
    assert "No case could be run" in str(failing)
    assert not (tmp_path / "failing" / "report.json").exists()


def test_tau2_the_oracle_solves_every_task_and_an_agent_that_does_nothing_none(tmp_path):
    site = package("tau2", "")

    def run(model):
        user = Endpoint(base_url=url, model="user")
        options = Tau2Options(ids=TAU2_IDS, domains=TAU2_DOMAINS, epochs=1, user=user, concurrency=2)
        return tau2.evaluate(Endpoint(base_url=url, model=model), options, tmp_path / model, home=HOME)

    models = {"oracle": strict(tau2_oracle.agent(site)), "dumb": dumb}
    with serving(**models, user=strict(tau2_oracle.user(site))) as url:
        oracle, nothing = together(run, *models)
    assert oracle.score().value >= 0.95
    assert nothing.score().value <= 0.05
    assert {case.case_id for case in oracle.cases} == set(TAU2_IDS)
    assert [score.metric for score in oracle.scores if score.category == "overall"] == ["avg@1", "pass^1"]
    assert (oracle.errors, oracle.settings.user_model, oracle.settings.temperature) == (0, "user", None)
    assert oracle.settings.extra["not_sent"] == {"agent": ["temperature"], "user": ["temperature"]}
    assert nothing.settings.temperature == 0
    assert oracle.settings.revision.startswith("airline, retail: tau2-bench 1.0.0, corrected; banking: ")
    assert oracle.settings.tasks_sha256 == nothing.settings.tasks_sha256 is not None


def test_an_endpoint_that_is_down_is_said_before_anything_runs(tmp_path):
    with pytest.raises(UserError, match="cannot be used"):
        bfcl.evaluate(Endpoint(base_url="http://127.0.0.1:9/v1", model="m"), BfclOptions(), tmp_path, home=tmp_path)


def test_a_model_that_the_endpoint_does_not_have_is_said_with_those_it_has(tmp_path):
    with serving(dumb=dumb) as url, pytest.raises(UserError, match=r"with model 'm'.*It lists: dumb"):
        bfcl.evaluate(Endpoint(base_url=url, model="m"), BfclOptions(), tmp_path, home=tmp_path)


def test_an_experiment_measures_an_endpoint_of_somebody_else_s_and_trains_nothing(workspace):
    data = package("bfcl", "bfcl_eval/data")
    work = workspace()
    (work.settings.home / "envs").symlink_to((HOME / "envs").absolute())
    with serving(oracle=bfcl_oracle.oracle(data)) as url:
        asked = {
            "endpoint_url": url,
            "endpoint_model": "oracle",
            "harnesses": ("bfcl",),
            "bfcl_ids": MULTI_TURN_IDS[:2],
        }
        planned = plan(options_of(asked))
        where = run(work, planned)
    report = work.fetch(keys.experiment_key(planned.plan_id, "report.md")).decode()
    assert where.endswith(f"{planned.plan_id}/report.md")
    assert re.search(r"^\| oracle \| 100\.00", report, re.MULTILINE), report
    barred = workspace(eval_endpoints="https://models.example/v1")
    with pytest.raises(UserError, match="GEM_EVAL_ENDPOINTS allows: https"):
        run(barred, planned)
    with work.ledger() as ledger:
        assert ledger.distill.find_models() == []
        assert [(row.model, row.model_id, row.tries) for row in ledger.evaluations.find()] == [("oracle", None, 2)]
