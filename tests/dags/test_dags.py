"""The DAGs import without any connection, quickly, documented, and wired as the pipeline demands."""

import subprocess
import sys
from itertools import pairwise

import pytest

from gem_tasks.domain.evaluation import HARNESSES
from gem_tasks.domain.stage import STAGE_NAMES
from gem_tasks.errors import UserError
from tests.dags.folder import DAGS
from tests.new_stage import add, environment

pytestmark = [
    pytest.mark.filterwarnings("default"),  # Airflow's own deprecations are not ours to fix
]


@pytest.fixture(scope="module")
def bag():
    from airflow.dag_processing.dagbag import DagBag

    return DagBag(dag_folder=str(DAGS))


def test_all_dags_import(bag):
    assert bag.import_errors == {}
    assert set(bag.dags) == {"gem_audit", "gem_distill", "gem_ingest", "gem_prefilter", "gem_synthesize", "gem_worlds"}


def test_everything_is_documented_owned_and_retried(bag):
    for dag in bag.dags.values():
        assert dag.doc_md
        assert dag.tags
        assert dag.catchup is False
        for task in dag.tasks:
            assert task.owner == "gem", task.task_id
            assert task.doc_md or task.python_callable.__doc__, task.task_id
            assert task.retries or task.task_id.endswith(".halted"), task.task_id


def test_each_stage_is_followed_by_its_gate_which_leads_on_asks_or_halts(bag):
    dag = bag.dags["gem_synthesize"]
    entries = [f"{name}.entry" for name in STAGE_NAMES]
    for name, (_, following) in zip(STAGE_NAMES, pairwise([*entries, "publish"]), strict=True):
        onward = {following, "publish"} if name == "validate" else {following}
        assert dag.get_task(f"{name}.run").downstream_task_ids == {f"{name}.gate"}
        assert dag.get_task(f"{name}.gate").downstream_task_ids == {f"{name}.review", f"{name}.halted", *onward}
        assert dag.get_task(f"{name}.review").downstream_task_ids == {f"{name}.halted", *onward}
        assert dag.get_task(f"{name}.halted").downstream_task_ids == {"publish"}
        assert dag.get_task(f"{name}.run").pool == "gem_llm"
        assert dag.get_task(f"{name}.run").upstream_task_ids == {"plan", f"{name}.entry"}
        assert dag.get_task(f"{name}.run").trigger_rule == "all_success", "plan alone does not let it run"
    assert dag.get_task("revalidate.entry").upstream_task_ids == {"revise.gate", "revise.review"}


def test_the_line_in_worlds_has_the_same_groups_and_begins_with_a_dataset_version(bag):
    dag, stages = bag.dags["gem_worlds"], ["world", "task", "simulate", "verify"]
    assert "gem_dataset" in str(dag.timetable.asset_condition)
    assert dag.get_task("plan").downstream_task_ids >= {"world.entry", "publish", "verify.run"}
    for name, following in pairwise([*stages, "publish"]):
        onward = "publish" if following == "publish" else f"{following}.entry"
        assert dag.get_task(f"{name}.gate").downstream_task_ids == {f"{name}.review", f"{name}.halted", onward}
        assert dag.get_task(f"{name}.halted").downstream_task_ids == {"publish"}
    assert [asset.name for asset in dag.get_task("publish").outlets] == ["gem_dataset"]


@pytest.mark.parametrize("action", ["continue", "review"])
@pytest.mark.parametrize(("nothing_refused", "leads_to"), [(True, "publish"), (False, "revise.entry")])
def test_where_validate_refused_nothing_its_gate_and_its_reviewer_lead_to_publish(
    bag, monkeypatch, nothing_refused, leads_to, action
):
    from gem_airflow import gate_operator
    from gem_tasks.domain.gate import Decision, Metrics
    from gem_tasks.pipeline.judging import gating

    decided = Decision(action=action, reason="as it is", metrics=Metrics(stage="validate"))
    for name in ("begun", "partition_key", "run_context"):
        monkeypatch.setattr(gate_operator, name, lambda: None)
    monkeypatch.setattr(gate_operator, "send_decision", lambda *_: None)
    monkeypatch.setattr(gating, "gate", lambda *_: decided)
    monkeypatch.setattr(gating, "nothing_left", lambda *_: nothing_refused)
    gate, review = (bag.dags["gem_synthesize"].get_task(f"validate.{task}") for task in ("gate", "review"))
    asked = "validate.review" if action == "review" else leads_to
    assert gate.choose_branch({}) == asked
    assert gate_operator._onward(review) == leads_to
    filter_gate = bag.dags["gem_synthesize"].get_task("filter.gate")
    assert gate_operator._onward(filter_gate) == "extract.entry"


def test_a_stage_that_borrows_an_endpoint_borrows_its_pool(monkeypatch):
    from gem_airflow.stage_group import _pool

    monkeypatch.setenv("GEM_LLM_BASE_URL_REFINE", "http://elsewhere/v1")
    assert [_pool(name) for name in ("refine", "revise", "revalidate")] == [
        "gem_llm_refine",
        "gem_llm_refine",
        "gem_llm",
    ]


def test_the_dags_are_joined_by_the_partitioned_asset(bag):
    announce = bag.dags["gem_ingest"].get_task("announce")
    assert [asset.name for asset in announce.outlets] == ["gem_segments"]
    assert "gem_segments" in str(bag.dags["gem_synthesize"].timetable.asset_condition)


def test_a_backfill_takes_a_way_of_its_own_that_reads_no_source(bag):
    dag = bag.dags["gem_ingest"]
    assert dag.get_task("ingest_or_announce").downstream_task_ids == {"list_sources", "announce"}
    assert dag.get_task("list_sources").upstream_task_ids == {"ingest_or_announce"}
    assert dag.get_task("synthesised").upstream_task_ids == {"announce"}
    assert dag.get_task("synthesised").reschedule
    options = {"budget_usd", "purse", "stages", "sources", "limit", "prompts", "models"}
    assert options <= set(dag.params) & set(bag.dags["gem_synthesize"].params)


@pytest.mark.parametrize("name", sorted(path.stem for path in DAGS.glob("gem_*.py")))
def test_parsing_imports_nothing_heavy(name):
    """What costs time stays inside the tasks; a timed test would only measure the machine."""
    heavy = (
        "sqlalchemy.orm,openai,pyarrow,boto3,trafilatura,psycopg,sklearn,aiohttp,gem_tasks.pipeline,gem_tasks.stages"
    )
    code = (
        "import sys; from airflow.sdk import CronPartitionTimetable, dag, task; before = set(sys.modules);"
        f"import {name}; new = set(sys.modules) - before; bad = sorted(new & set({heavy!r}.split(','))); print(bad)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=DAGS, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_training_waits_for_a_person_and_every_server_has_a_teardown(bag):
    dag = bag.dags["gem_distill"]
    assert "gem_dataset" in str(dag.timetable.asset_condition)
    assert dag.is_paused_upon_creation
    serve, stop = dag.get_task("arm.serve"), dag.get_task("arm.stop")
    assert serve.is_setup
    assert stop.is_teardown
    assert {f"arm.{harness}" for harness in HARNESSES} <= serve.downstream_task_ids
    assert dag.get_task("report").upstream_task_ids > {"plan"}


def test_more_shards_than_airflow_maps_over_are_refused_in_one_line(bag, monkeypatch):
    from gem_airflow.mapping import mappable

    monkeypatch.setenv("AIRFLOW__CORE__MAX_MAP_LENGTH", "3")
    assert mappable([1, 2, 3]) == [1, 2, 3]
    with pytest.raises(
        UserError, match=r"4 shards exceed the number that Airflow maps a task over .3.*GEM_SHARD_SEGMENTS"
    ):
        mappable([1, 2, 3, 4])


def test_a_new_stage_has_its_tasks_between_its_neighbours(tmp_path):
    add(tmp_path)
    code = (
        "from gem_synthesize import gem_synthesize; dag = gem_synthesize();"
        "print(*dag.task_ids); print(*dag.get_task('filter.gate').downstream_task_ids);"
        "print(*dag.get_task('poem.gate').downstream_task_ids)"
    )
    command = [sys.executable, "-W", "ignore", "-c", code]
    variables = {"AIRFLOW_HOME": str(tmp_path / "airflow"), "AIRFLOW__CORE__LOAD_EXAMPLES": "False"}
    env = environment(tmp_path, **variables)
    ended = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=True)
    tasks, filtered, poem = (set(line.split()) for line in ended.stdout.splitlines()[-3:])
    assert tasks >= {f"poem.{name}" for name in ("entry", "run", "gate", "review", "halted")}
    assert "poem.entry" in filtered
    assert "extract.entry" in poem
