"""A changed prompt recomputes what depends on it and nothing else; nothing half new is ever published."""

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from gem_tasks.dataset.publish import publish
from gem_tasks.domain.stage import STAGE_NAMES
from gem_tasks.domain.stage_settings import StageSettings
from gem_tasks.errors import UserError
from gem_tasks.lineage import RunContext
from gem_tasks.pipeline.ingest.source import ingest
from gem_tasks.pipeline.options import RunOptions
from gem_tasks.pipeline.rebuild.compare import compare
from gem_tasks.pipeline.rebuild.plan import announce, take_up, taken_by, unpublished
from gem_tasks.pipeline.rebuild.stale import stale
from gem_tasks.pipeline.shard.run import run_shard
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.prompts import shipped
from tests.corpus import EXAMPLES, PARTITION
from tests.integration.changed_prompt import OTHER
from tests.planning import plan, synthesise


@pytest.fixture
def changed(workspace):
    """Makes a workspace in which somebody changed the refine prompt."""

    def make(options=None, **changes):
        return Workspace.open(workspace(**changes).settings, shipped().changed(OTHER), options)

    return make


def calls_by_stage(work):
    with work.ledger() as ledger:
        rows = ledger.pg.execute("SELECT recipe_id, stage, sum(calls)::int AS calls FROM stage_results GROUP BY 1, 2")
        return {(row["stage"], row["recipe_id"]): row["calls"] for row in rows.fetchall()}


def current_version(work):
    with work.ledger() as ledger:
        return ledger.datasets.current(PARTITION)


def stored_prompt(work, prompt):
    with work.ledger() as ledger:
        ledger.stages.record_recipes({prompt.sha256: (prompt.name, prompt.text)}, [])


def test_a_refine_prompt_change_costs_exactly_the_calls_of_refine_and_validate(finished, changed, tmp_path):
    work, *_ = finished
    first = calls_by_stage(work)
    files = {path: path.stat().st_mtime_ns for path in (tmp_path / "store" / "stages").rglob("*.parquet")}
    other = changed()
    found = stale(other)
    assert {stage.stage: stage.why for stage in found.stages} == {
        "refine": {"prompt": found.stages[0].known},
        "validate": {"upstream": found.stages[1].known},
    }
    made = synthesise(other)
    shared = sum(calls for (stage, _), calls in first.items() if stage in ("filter", "extract", "generate"))
    assert 0 < made == sum(first.values()) - shared
    assert made == found.total.calls
    assert {path: path.stat().st_mtime_ns for path in files} == files, "the other recipe's objects stay as they were"
    assert stale(other).partitions == stale(work).partitions == []
    assert synthesise(work) == synthesise(other) == 0, "both variants are there"


def test_why_and_how_much_is_stale_is_said_with_the_command(finished, workspace, changed):
    work, *_ = finished
    assert stale(work).ranges == []
    model = workspace(llm_stages={"generate": StageSettings(model="gpt-x")})
    found = {stage.stage: stage for stage in stale(model).stages}
    assert [set(found[name].why) for name in ("generate", "refine", "validate")] == [
        {"model"},
        {"upstream"},
        {"upstream"},
    ]
    assert "none of gpt-x" in stale(model).basis["generate"]
    assert set(stale(workspace(segment_target_tokens=999)).stages[0].why) == {"segmenting"}
    both = changed(llm_stages={"refine": StageSettings(model="gpt-x")})
    assert set(stale(both).stages[0].why) == {"prompt + model"}
    (only,) = stale(both).ranges
    assert only.command == f"gem backfill --from {PARTITION} --to {PARTITION}"
    assert stale(both, first="2026-02-01T00:00").partitions == []


def test_what_was_never_done_is_estimated_from_what_was(finished, workspace, tmp_path):
    work, report, published = finished
    for number in range(3):
        text = (EXAMPLES / "library-loans.txt").read_text(encoding="utf-8")
        (tmp_path / f"{number}.txt").write_text(f"Branch {number}\n\n{text}", encoding="utf-8")
    later = "2026-01-31T15:00"
    for number in range(3):
        ingest(workspace(near_duplicate=0), str(tmp_path / f"{number}.txt"), later)
    found = {stage.stage: stage for stage in stale(work).stages}
    assert found["filter"].why == {"never done": 3}
    assert found["filter"].estimate.prompt_tokens > 0
    passed = published.trajectories / report.segments
    assert found["extract"].estimate.segments == pytest.approx(3 * passed)
    assert found["filter"].estimate.usd == 0, "what the offline teacher costs"
    assert found["filter"].estimate.seconds is None, "no run of Airflow's was timed"


def test_a_failure_worth_another_try_is_stale_as_such(finished):
    work, *_ = finished
    with work.ledger() as ledger:
        ledger.pg.execute(
            "UPDATE stage_results SET outcome = 'failed', error_class = 'timeout' WHERE recipe_id = %s",
            [work.chain.id_of("validate")],
        )
    (only,) = stale(work).stages
    assert set(only.why) == {"retry"}
    assert publish(work, PARTITION).held_back is None, "a failure is an outcome: the partition is complete"


def test_half_a_partition_is_never_published(finished, changed):
    work, _, published = finished
    before = current_version(work)
    assert before == [published.version]
    narrow = changed(options=RunOptions(limit=2, stages=("refine",)))
    for shard in plan(narrow, PARTITION):
        run_shard(narrow, "refine", PARTITION, shard["shard"], RunContext())
    done = sum(calls for (stage, key), calls in calls_by_stage(work).items() if key == narrow.chain.id_of("refine"))
    assert 0 < done <= 2
    held = publish(narrow, PARTITION).held_back
    assert "incomplete" in held
    assert "remaining work: refine of" in held
    assert current_version(work) == before
    other = changed()
    synthesise(other)
    new = publish(other, PARTITION)
    assert new.version != published.version
    assert new.trajectories == published.trajectories
    assert current_version(work) == [new.version]


def test_one_source_is_recomputed_and_the_rest_stays(finished, changed, tmp_path, workspace):
    work, *_ = finished
    (tmp_path / "extra.txt").write_text((EXAMPLES / "library-loans.txt").read_text(encoding="utf-8") + "\nEnd.\n")
    ingest(workspace(near_duplicate=0), str(tmp_path / "extra.txt"), PARTITION)
    synthesise(work)
    mine = changed(options=RunOptions(sources=(str(tmp_path / "extra.txt"),)))
    assert synthesise(mine) == 2
    assert changed(options=RunOptions(sources=("file:///nothing",))).scope.narrowed
    assert plan(changed(options=RunOptions(sources=("file:///nothing",))), PARTITION) == []
    assert len(plan(changed(), PARTITION)) > 1


def test_a_variant_is_computed_beside_and_adopting_it_costs_nothing(finished, workspace, changed):
    work, _, published = finished
    stored_prompt(work, OTHER)
    variant = Workspace.open(work.settings, options=RunOptions(prompts={"refine": OTHER.sha256[:10]}))
    assert variant.variant
    assert variant.recipe_ids() == changed().recipe_ids()
    assert synthesise(variant) == 2 * published.trajectories
    assert "not the current ones" in publish(variant, PARTITION).held_back
    assert current_version(work) == [published.version]
    found = compare(work, work.chain.id_of("refine"), variant.chain.id_of("refine")[:8])
    assert [each.stage for each in found.differences] == ["refine"]
    assert "+Be terse." in found.differences[0].prompt
    assert [effect.stage for effect in found.effects] == ["refine", "validate"]
    last = found.effects[-1].found
    assert last.segments == last.accepted_a == last.accepted_b == published.trajectories
    assert {size.name for size in last.sizes} == {"messages", "tools", "calls"}
    adopted = changed()
    assert plan(adopted, PARTITION) == []
    assert unpublished(adopted, PARTITION)
    assert stale(adopted).publish_only == [PARTITION]
    assert announce(adopted, PARTITION, RunContext(run_id="r")) == []
    assert publish(adopted, PARTITION).version not in (None, published.version)
    assert announce(adopted, PARTITION, RunContext(run_id="r")) is None


@pytest.mark.parametrize(
    ("prompts", "said"),
    [({"refine": "00"}, "No 'refine' begins"), ({"poem": "00"}, "no prompt 'poem'"), ({"refine": ""}, "versions of")],
)
def test_an_override_that_means_nothing_is_refused(finished, changed, prompts, said):
    work, *_ = finished
    stored_prompt(work, OTHER)
    with pytest.raises(UserError, match=said):
        Workspace.open(work.settings, options=RunOptions(prompts=prompts))


def test_two_overlapping_runs_pay_once(workspace, teacher_url):
    work = workspace(llm_base_url=f"{teacher_url}?latency_s=0.2", shard_segments=100)
    ingest(work, str(EXAMPLES), PARTITION)
    plan(work, PARTITION)
    reports = []
    threads = [
        threading.Thread(target=lambda: reports.append(run_shard(work, "filter", PARTITION, 0, RunContext())))
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(report.calls for report in reports) == [0, 0, 15]
    assert {report.accepted + report.rejected for report in reports} == {15}


def test_a_finished_shard_is_skipped_by_one_look(finished, monkeypatch):
    work, *_ = finished
    from gem_tasks.lineage.connection import Connection

    asked = []
    execute = Connection._execute
    monkeypatch.setattr(
        Connection, "_execute", lambda self, query, values: asked.append(query) or execute(self, query, values)
    )
    monkeypatch.setattr(type(work), "fetch", lambda *_: pytest.fail("an object was read"))
    for name in STAGE_NAMES:
        assert run_shard(work, name, PARTITION, 0, RunContext()).calls == 0
    assert asked == ["shard_state"] * len(STAGE_NAMES)


def test_a_publication_that_is_killed_leaves_the_old_version_whole(finished, changed, tmp_path, dsn):
    """SIGKILL between the new version's files and its rows; then the retry."""
    work, _, published = finished
    other = changed()
    synthesise(other)
    script = (
        "import time; from gem_tasks.dataset.publish import publish;"
        "from gem_tasks.pipeline.workspace import Workspace; from gem_tasks.prompts import Prompt, shipped;"
        "from gem_tasks.settings import load; from tests.integration.changed_prompt import OTHER;"
        "from gem_tasks.lineage.datasets import Datasets;"
        "Datasets.commit = lambda *_: (print('here', flush=True), time.sleep(60));"
        f"publish(Workspace.open(load(), shipped().changed(OTHER)), {PARTITION!r})"
    )
    env = {**os.environ, "GEM_HOME": str(tmp_path), "GEM_POSTGRES_DSN": dsn, "GEM_STORE_URL": str(tmp_path / "store"),
           "GEM_LLM_BASE_URL": other.settings.llm_base_url}  # fmt: skip
    with subprocess.Popen([sys.executable, "-c", script], env=env, stdout=subprocess.PIPE, text=True) as worker:
        assert worker.stdout.readline() == "here\n"
        assert current_version(work) == [published.version]
        worker.send_signal(signal.SIGKILL)
    assert current_version(work) == [published.version]
    deadline = time.monotonic() + 20
    retried = publish(other, PARTITION)  # the dead worker's lock is gone with its connection
    assert time.monotonic() < deadline
    assert current_version(work) == [retried.version]


def test_an_announcement_is_taken_up_by_the_synthesis_that_it_started(finished, changed):
    other = changed(options=RunOptions(stages=("refine", "validate"), budget_usd=2.5))
    run = RunContext(run_id="backfill__1")
    assert announce(other, PARTITION, run)
    assert taken_by(other, PARTITION, run) is None
    assert take_up(other, PARTITION, ["backfill__1", "0"], RunContext(run_id="asset__1"))
    assert taken_by(other, PARTITION, run) == "asset__1"
    with other.ledger() as ledger:
        (row,) = ledger.pg.execute("SELECT options FROM announcements").fetchall()
    assert RunOptions.read(row["options"]) == other.options
