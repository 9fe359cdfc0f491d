"""The real harnesses against endpoints whose score is known: the ground truth solves all, knowing nothing none."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from gem_tasks.distill.experiment import options_of, plan
from gem_tasks.distill.run import run
from gem_tasks.domain.evaluation import Endpoint, EvalReport
from gem_tasks.errors import UserError
from gem_tasks.evals import bfcl, tau2, tool_eval_bench
from gem_tasks.evals.bfcl_parts import COLLECTIONS, PARTS
from gem_tasks.evals.environment import ensure, installed
from gem_tasks.evals.options import (
    BFCL_CATEGORIES,
    TOOL_EVAL_BENCH_CATEGORIES,
    BfclOptions,
    Tau2Options,
    ToolEvalBenchOptions,
)
from gem_tasks.store import keys
from tests.integration.environments import HOME
from tests.oracles import bfcl as bfcl_oracle
from tests.oracles import tau2 as tau2_oracle
from tests.oracles import tool_eval_bench as tool_eval_bench_oracle
from tests.oracles.server import dumb, serving, strict

MULTI_TURN_IDS = tuple(f"{category}_{number}" for category in BFCL_CATEGORIES for number in (3, 77))
BFCL_IDS = (
    *MULTI_TURN_IDS, "simple_python_5", "simple_java_0", "simple_javascript_0", "multiple_3", "parallel_4",
    "parallel_multiple_5", "live_simple_0-0-0", "live_multiple_1-0-1", "live_parallel_0-0-0",
    "live_parallel_multiple_0-0-0", "irrelevance_1", "live_irrelevance_0-0-0", "live_relevance_0-0-0",
    "memory_kv_0-customer-0", "memory_rec_sum_0-customer-0",
)  # fmt: skip
"""Some of every category."""
TAU2_DOMAINS = ("airline", "retail", "telecom", "banking")
TAU2_IDS = ("airline/8", "retail/0", f"telecom/{tau2_oracle.TELECOM}", "banking/task_023")
"""Tasks whose reference actions change something: doing nothing solves none. In the last two the customer acts, too."""


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
    assert oracle.settings.revision.startswith("airline, retail: tau2-bench 1.0.0, corrected; telecom: ")
    assert oracle.settings.tasks_sha256 == nothing.settings.tasks_sha256 is not None


def test_tool_eval_bench_the_oracle_solves_every_scenario_and_an_apology_those_in_which_it_is_right(tmp_path):
    def run(model):
        endpoint, options = Endpoint(base_url=url, model=model), ToolEvalBenchOptions(seed=7, concurrency=8)
        try:
            return tool_eval_bench.evaluate(endpoint, options, tmp_path / model, home=HOME)
        except UserError as error:
            return error

    ensure(HOME, "tool-eval-bench")
    models = {
        "oracle": strict(tool_eval_bench_oracle.oracle), "dumb": dumb, "failing": lambda body, headers: 400,
    }  # fmt: skip
    with serving(**models) as url:
        oracle, apology, failing = together(run, *models)
    assert all(score.value >= 0.95 for score in oracle.scores)
    assert [score.category for score in oracle.scores[::2]] == ["overall", *TOOL_EVAL_BENCH_CATEGORIES]
    assert {score.metric for score in oracle.scores} == {"points", "pass^1"}
    assert (oracle.score().cases, oracle.errors) == (69, 0)
    assert {case.case_id for case in apology.cases if case.score} == tool_eval_bench_oracle.EARNED_BY_AN_APOLOGY
    assert [case.case_id for case in apology.cases if case.error] == ["TC-45"]  # it did not call when it had to
    assert (oracle.settings.temperature, apology.settings.temperature) == (None, 0)
    assert oracle.settings.tasks_sha256 == apology.settings.tasks_sha256 is not None
    rounds = [report.measures["rounds"] for report in (oracle, apology)]
    assert [(each["final_score"], each["safety_warnings"]) for (each,) in rounds] == [(100, []), (11, [])]
    assert "keep failing" in str(failing)


def test_tool_eval_bench_a_refused_request_is_not_the_model_s_last_word_and_is_repeated(tmp_path):
    broken = True

    def answer(body, headers):
        after_a_call = broken and any(each["role"] == "tool" for each in body["messages"])
        return 400 if after_a_call else tool_eval_bench_oracle.oracle(body, headers)

    def run():
        options = ToolEvalBenchOptions(ids=("TC-10", "TC-09"), epochs=2)
        endpoint = Endpoint(base_url=url, model="flaky")
        return tool_eval_bench.evaluate(endpoint, options, tmp_path, home=HOME)

    with serving(flaky=answer) as url:
        first, broken = run(), False
        second = run()
    assert [(case.case_id, case.score, case.error is None) for case in first.cases] == [
        ("TC-09", 0, False), ("TC-09", 0, False), ("TC-10", 1, True), ("TC-10", 1, True),
    ]  # fmt: skip
    assert [case.score for case in second.cases] == [1, 1, 1, 1]
    assert [score.metric for score in second.scores[:4]] == ["points", "pass^1", "pass^2", "pass@2"]


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
    of_bfcl = bfcl_oracle.oracle(data)

    def oracle(body, headers):
        return (of_bfcl if "X-BFCL-Test-Id" in headers else tool_eval_bench_oracle.oracle)(body, headers)

    with serving(oracle=oracle) as url:
        asked = {
            "endpoint_url": url,
            "endpoint_model": "oracle",
            "harnesses": ("bfcl", "tool-eval-bench"),
            "bfcl_ids": MULTI_TURN_IDS[:2],
            "tool_eval_bench_ids": ("TC-07", "TC-34"),
            "epochs": 2,
        }
        planned = plan(options_of(asked))
        where = run(work, planned)
    report = work.fetch(keys.experiment_key(planned.plan_id, "report.md")).decode()
    assert where.endswith(f"{planned.plan_id}/report.md")
    assert len(re.findall(r"^\| oracle \| 100\.00", report, re.MULTILINE)) == 3, report
    assert re.search(r"^## tool-eval-bench\n\ntool-eval-bench 3.*overall pass\^2", report, re.MULTILINE | re.DOTALL)
    barred = workspace(eval_endpoints="https://models.example/v1")
    with pytest.raises(UserError, match="GEM_EVAL_ENDPOINTS allows: https"):
        run(barred, planned)
    with work.ledger() as ledger:
        assert ledger.distill.find_models() == []
        found = sorted((row.harness, row.model_id, row.tries) for row in ledger.evaluations.find())
        assert found == [("bfcl", None, 2), ("tool-eval-bench", None, 4)]
