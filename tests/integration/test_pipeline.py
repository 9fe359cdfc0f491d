"""The whole pipeline in-process: real Postgres, a real endpoint over HTTP, a directory or S3."""

import gzip
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

import jsonschema
import pytest

from gem_tasks.dataset.export import export_openai, trajectory
from gem_tasks.dataset.publish import publish
from gem_tasks.domain.stage_settings import StageSettings
from gem_tasks.errors import ErrorClass, StoreError, UserError
from gem_tasks.lineage import Ledger, RunContext
from gem_tasks.pipeline.ingest.source import ingest
from gem_tasks.pipeline.judging.agreement import Opinion, agreement
from gem_tasks.pipeline.judging.gating import answer, gate, last_decision, review
from gem_tasks.pipeline.shard.run import run_shard
from gem_tasks.pipeline.upkeep.failures import FailureFilter, failures, retry
from tests.corpus import EXAMPLES, PARTITION
from tests.planning import plan, synthesise

METADATA = set(
    """trajectory_id segment_id document_uri license domain platform task_category teacher recipe partition""".split()
)


def documents(dsn):
    with Ledger(dsn) as ledger:
        rows = ledger.pg.execute("SELECT uri, reason, detail FROM documents").fetchall()
    return {row["uri"].rsplit("/", 1)[-1]: row["reason"] for row in rows}


def test_examples_become_trajectories_that_keep_the_export_contract(finished, tmp_path):
    work, _, published = finished
    assert published.trajectories >= 8
    path, count = export_openai(work, tmp_path / "out")
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert len(rows) == count == published.trajectories
    for row in rows:
        assert set(row) == {"messages", "tools", "metadata"}
        assert set(row["metadata"]) >= METADATA
        keeps_the_chat_completions_format(row)


def keeps_the_chat_completions_format(row):
    schemas = {tool["function"]["name"]: tool["function"]["parameters"] for tool in row["tools"]}
    assert all(tool["type"] == "function" for tool in row["tools"])
    waiting = []
    for message in row["messages"]:
        if message["role"] == "tool":
            assert message["tool_call_id"] == waiting.pop(0)
            continue
        assert not waiting
        for call in message.get("tool_calls", []):
            assert call["type"] == "function"
            jsonschema.validate(json.loads(call["function"]["arguments"]), schemas[call["function"]["name"]])
            waiting.append(call["id"])
    assert row["messages"][0]["role"] == "system"
    assert row["messages"][-1]["role"] == "assistant"


def test_every_document_has_an_end_with_a_reason(finished, dsn):
    found = documents(dsn)
    assert found["empty.txt"] == "empty"
    assert found["records.jsonl#2"] == "bad_record"
    assert found["records.jsonl#loan-laptop-copy"] == "duplicate"
    assert found["records.jsonl#loan-laptop"] is None
    with Ledger(dsn) as ledger:
        lost = ledger.pg.execute(
            "SELECT count(*) AS n FROM segments s WHERE NOT EXISTS "
            "(SELECT 1 FROM stage_results r WHERE r.segment_id = s.segment_id AND r.stage = 'filter')"
        ).fetchone()
    assert lost == {"n": 0}


@pytest.mark.parametrize(
    "name", ["essay-on-walking.txt", "meeting-notes.txt", "injection.md", "anleitung-waschmaschine.txt"]
)
def test_what_is_no_procedure_is_rejected_by_the_filter(finished, name):
    work, *_ = finished
    with work.ledger() as ledger:
        life = ledger.reports.lineage(f"file://{EXAMPLES / name}")
    (outcome,) = life.segments[0].outcomes
    assert (outcome.stage, outcome.outcome) == ("filter", "rejected")
    assert outcome.reason


def test_a_second_run_makes_no_call_and_changes_nothing(finished, tmp_path):
    work, first, published = finished
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "store").rglob("*.parquet")}
    again = ingest(work, str(EXAMPLES), PARTITION)
    assert (again.unchanged, again.segments, again.shards) == (first.documents, 0, 0)
    assert plan(work, PARTITION) == []
    assert synthesise(work) == 0
    assert publish(work, PARTITION) == published
    after = {path: path.stat().st_mtime_ns for path in (tmp_path / "store" / "stages").rglob("*.parquet")}
    assert {path: before[path] for path in after} == after


def test_a_changed_model_redoes_its_stage_and_what_follows_only(finished, workspace, teacher_url):
    _, _, published = finished
    work = workspace(segment_target_tokens=1200, llm_stages={"refine": StageSettings(model="offline-rules")})
    assert synthesise(work) == 0
    changed = workspace()
    recipe = changed.chain.by_stage["refine"]
    changed.chain.by_stage["refine"] = recipe.model_copy(update={"version": recipe.version + 1})
    changed.chain.by_stage["validate"] = changed.chain.by_stage["validate"].model_copy(
        update={"parent": changed.chain.by_stage["refine"].recipe_id}
    )
    assert synthesise(changed) == 2 * published.trajectories
    assert publish(changed, PARTITION).version != published.version


def test_one_trajectory_can_be_looked_at(finished):
    work, *_ = finished
    with work.ledger() as ledger:
        ((key, _), *_) = ledger.datasets.find_trajectories("")
    assert trajectory(work, key[:12])["metadata"]["trajectory_id"] == key
    with pytest.raises(UserError, match="No trajectory begins"):
        trajectory(work, "zzz")


def test_the_same_documents_give_the_same_dataset_on_s3(finished, workspace, bucket, postgres):
    _, _, published = finished
    name = f"s{os.getpid()}"
    postgres.create_database(name, template="gem_template")
    work = workspace(store_url=f"s3://{bucket}/gem", postgres_dsn=postgres.dsn(name))
    ingest(work, str(EXAMPLES), PARTITION)
    synthesise(work)
    assert publish(work, PARTITION).version == published.version


def test_a_bucket_can_be_a_source(workspace, bucket):
    import boto3

    client = boto3.client("s3")
    for path in (EXAMPLES / "library-loans.txt", EXAMPLES / "records.jsonl"):
        client.upload_file(str(path), bucket, f"docs/{path.name}")
    packed = gzip.compress((EXAMPLES / "hotel-front-desk.md").read_bytes())
    client.put_object(Bucket=bucket, Key="docs/hotel.md.gz", Body=packed)
    report = ingest(workspace(), f"s3://{bucket}/docs", PARTITION)
    assert (report.documents, report.rejected) == (5, 2)
    with pytest.raises(UserError, match="contains no supported files"):
        ingest(workspace(), f"s3://{bucket}/nothing", PARTITION)
    with pytest.raises(UserError, match="cannot be listed"):
        ingest(workspace(), f"s3://{bucket}-missing/docs", PARTITION)


def test_a_wrong_model_stops_the_task_with_one_line(workspace):
    work = workspace(llm_model="gpt-wrong")
    ingest(work, str(EXAMPLES / "library-loans.txt"), PARTITION)
    plan(work, PARTITION)
    with pytest.raises(UserError, match="GEM_LLM_MODEL"):
        run_shard(work, "filter", PARTITION, 0, RunContext())


def test_a_misbehaving_endpoint_costs_calls_but_loses_nothing(workspace, teacher_url):
    work = workspace(
        llm_base_url=f"{teacher_url}?rate_429=0.2&rate_5xx=0.1&rate_malformed=0.1&seed=4&retry_after_s=0.01"
    )
    ingest(work, str(EXAMPLES), PARTITION)
    calls = synthesise(work)
    with work.ledger() as ledger:
        rows = ledger.pg.execute("SELECT stage, outcome, error_class FROM stage_results").fetchall()
    assert calls > len(rows)
    assert plan(work, PARTITION) == []
    assert {row["error_class"] for row in rows} <= {None, "malformed"}


def test_a_killed_worker_loses_nothing_and_pays_only_for_what_was_in_flight(workspace, teacher_url, tmp_path, dsn):
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    text = (EXAMPLES / "library-loans.txt").read_text(encoding="utf-8")
    for number in range(300):
        (corpus / f"{number:03d}.txt").write_text(f"Branch {number}\n\n{text}", encoding="utf-8")
    slow = f"{teacher_url}?latency_s=0.05"
    work = workspace(shard_segments=300, llm_base_url=slow, llm_concurrency=4, near_duplicate=0)
    ingest(work, str(corpus), PARTITION)
    plan(work, PARTITION)
    script = (
        "from gem_tasks.pipeline.shard.run import run_shard; from gem_tasks.pipeline.workspace import Workspace;"
        "from gem_tasks.lineage import RunContext; from gem_tasks.settings import load;"
        f"run_shard(Workspace.open(load()), 'filter', {PARTITION!r}, 0, RunContext())"
    )
    env = {
        **os.environ, "GEM_HOME": str(tmp_path), "GEM_POSTGRES_DSN": dsn, "GEM_STORE_URL": str(tmp_path / "store"),
        "GEM_LLM_BASE_URL": slow, "GEM_SHARD_SEGMENTS": "300", "GEM_LLM_CONCURRENCY": "4",
    }  # fmt: skip
    with subprocess.Popen([sys.executable, "-c", script], env=env) as worker:
        deadline = time.monotonic() + 60
        while (answered := answers_in_journal(tmp_path)) < 80:
            assert time.monotonic() < deadline, f"the worker wrote down {answered} answers"
            time.sleep(0.02)
        worker.send_signal(signal.SIGKILL)
    answered = answers_in_journal(tmp_path)
    report = run_shard(work, "filter", PARTITION, 0, RunContext())
    assert report.replayed == answered
    assert report.accepted + report.rejected + report.failed == 300
    with work.ledger() as ledger:
        found = ledger.pg.execute("SELECT count(*) AS n, sum(calls) AS calls FROM stage_results").fetchone()
    assert found == {"n": 300, "calls": 300}
    assert answers_in_journal(tmp_path) == 0
    assert run_shard(work, "filter", PARTITION, 0, RunContext()).calls == 0


def answers_in_journal(home):
    return sum(path.read_bytes().count(b"\n") for path in (home / "journal").rglob("*.jsonl"))


def test_a_spent_budget_stops_the_run_and_more_money_continues_it(workspace, tmp_path, caplog):
    prices = tmp_path / "prices.toml"
    prices.write_text('["offline-rules"]\ninput = 100\noutput = 100\n', encoding="utf-8")
    run = RunContext(run_id="run")
    work = workspace(llm_prices=prices, budget_usd=1.2, shard_segments=30, llm_concurrency=1)
    ingest(work, str(EXAMPLES), PARTITION)
    plan(work, PARTITION)
    with pytest.raises(UserError, match=r"budget of \$1.20 .* GEM_BUDGET_USD"):
        run_shard(work, "filter", PARTITION, 0, run)
    (line,) = [record.message for record in caplog.records if "segments still have no result" in record.message]
    with work.ledger() as ledger:
        spent = ledger.pg.execute("SELECT count(*) AS n, sum(usd) AS usd FROM stage_results").fetchone()
    assert 0 < spent["usd"] <= 1.2
    assert line.startswith(f"{15 - spent['n']} of 15 segments still have no result")
    richer = workspace(llm_prices=prices, budget_usd=50, shard_segments=30)
    report = run_shard(richer, "filter", PARTITION, 0, run)
    assert (report.reused, report.calls) == (spent["n"], 15 - spent["n"])


def test_a_budget_without_a_price_is_refused_before_the_first_call(workspace, tmp_path):
    work = workspace(budget_usd=1, llm_model="unheard-of")
    ingest(work, str(EXAMPLES / "library-loans.txt"), PARTITION)
    plan(work, PARTITION)
    with pytest.raises(UserError, match="No price is known for 'unheard-of'"):
        run_shard(work, "filter", PARTITION, 0, RunContext())


def test_calls_are_accounted_for_by_class(workspace, teacher_url):
    work = workspace(llm_base_url=f"{teacher_url}?rate_429=0.3&rate_malformed=0.2&seed=11&retry_after_s=0.01")
    ingest(work, str(EXAMPLES), PARTITION)
    synthesise(work)
    with work.ledger() as ledger:
        rows = ledger.pg.execute(
            "SELECT outcome, calls, (SELECT coalesce(sum(value::int), 0) FROM jsonb_each_text(faults)) AS wasted"
            " FROM stage_results"
        ).fetchall()
        wasted = {row["error_class"] for row in ledger.pg.execute("SELECT error_class FROM wasted_calls")}
    assert wasted == {"rate_limited", "malformed"}
    for row in rows:
        assert row["calls"] == row["wasted"] + (row["outcome"] != "failed" and row["calls"] > 0)


def test_an_object_without_its_rows_counts_for_nothing(workspace):
    """A crash between object and transaction: the retry overwrites it with the same bytes."""
    work = workspace()
    ingest(work, str(EXAMPLES / "library-loans.txt"), PARTITION)
    plan(work, PARTITION)
    run_shard(work, "filter", PARTITION, 0, RunContext())
    key = next(iter(work.store.list("stages/filter/")))
    with work.ledger() as ledger:
        ledger.pg.execute("DELETE FROM stage_results")
    work.store.put(key, b"half an object")
    assert run_shard(work, "filter", PARTITION, 0, RunContext()).calls == 1


def test_a_lost_object_is_noticed_not_invented(workspace, tmp_path):
    work = workspace()
    ingest(work, str(EXAMPLES / "library-loans.txt"), PARTITION)
    plan(work, PARTITION)
    run_shard(work, "filter", PARTITION, 0, RunContext())
    shutil.rmtree(tmp_path / "store" / "stages")
    with pytest.raises(StoreError, match="is missing from the store"):
        run_shard(work, "extract", PARTITION, 0, RunContext())


def test_failures_are_listed_with_their_answers_and_only_they_are_tried_again(workspace, teacher_url):
    broken = workspace(llm_base_url=f"{teacher_url}?rate_malformed=0.6&seed=3")
    ingest(broken, str(EXAMPLES), PARTITION)
    plan(broken, PARTITION)
    for shard in plan(broken, PARTITION):
        run_shard(broken, "filter", PARTITION, shard["shard"], RunContext())
    work = workspace()
    found = failures(work, FailureFilter(error_class=ErrorClass.MALFORMED), limit=100)
    assert found.total == len(found.newest) > 2
    assert all("]" in failure.raw and failure.uri for failure in found.newest)
    assert failures(work, FailureFilter(error_class=ErrorClass.REFUSED), limit=100).total == 0
    before = rows_by_segment(work)
    assert retry(work, FailureFilter(stage="extract"), dry_run=False) == {}
    assert retry(work, FailureFilter(stage="filter"), dry_run=True) == {PARTITION: found.total}
    assert retry(work, FailureFilter(stage="filter"), dry_run=False) == {PARTITION: found.total}
    for shard in plan(work, PARTITION):
        run_shard(work, "filter", PARTITION, shard["shard"], RunContext())
    after = rows_by_segment(work)
    again = {failure.segment_id for failure in found.newest}
    assert {segment for segment in after if after[segment] != before[segment]} == again
    assert failures(work, FailureFilter(), limit=1).total == 0
    assert all(after[segment]["calls"] == before[segment]["calls"] + 1 for segment in again)


def rows_by_segment(work):
    with work.ledger() as ledger:
        rows = ledger.pg.execute("SELECT segment_id, outcome, calls, updated_at FROM stage_results").fetchall()
    return {row["segment_id"]: row for row in rows}


def test_the_judge_is_held_against_the_checks(finished):
    work, *_ = finished
    known = agreement(work, sample=0, seed=0)
    assert (known.both_pass, known.calls, known.kappa) == (finished[2].trajectories, 0, None)
    with work.ledger() as ledger:  # as if the checks had refused some
        ledger.pg.execute(
            "UPDATE stage_results SET outcome = 'rejected', reason = 'check_grounding'"
            " WHERE recipe_id = %s AND segment_id IN"
            " (SELECT segment_id FROM stage_results WHERE recipe_id = %s ORDER BY segment_id LIMIT 3)",
            [work.chain.id_of("validate")] * 2,
        )
    found = agreement(work, sample=2, seed=1)
    assert found.checks_refuse == 3
    assert found.sample == {"check_grounding": Opinion(asked=2, refused=0)}
    assert found.calls == 2
    assert found.kappa == 0


STRICT = """
[filter]
accepted_share = { min = 0.99, action = "review", sample = 1 }
"""


def test_a_reviewer_sees_numbers_and_examples_and_is_asked_once(workspace, tmp_path):
    gates = tmp_path / "gates.toml"
    gates.write_text(STRICT, encoding="utf-8")
    work = workspace(gates=gates)
    ingest(work, str(EXAMPLES), PARTITION)
    for shard in plan(work, PARTITION):
        run_shard(work, "filter", PARTITION, shard["shard"], RunContext())
    assert gate(work, "filter", PARTITION, RunContext()).action == "review"
    body = review(work, "filter", PARTITION)
    assert "| accepted_share |" in body
    assert "**broken**" in body
    assert len(re.findall(r"^rejected: ", body, re.MULTILINE)) == 5
    passed = answer(work, "filter", PARTITION, RunContext(), go_on=True, person="ada", comment="a new source")
    assert (passed.action, passed.person) == ("continue", "ada")
    assert "ada let it pass: a new source" in passed.reason
    assert gate(work, "filter", PARTITION, RunContext()).action == "continue"
    answer(work, "filter", PARTITION, RunContext(), go_on=False, person="bob", comment="")
    assert last_decision(work, "filter", PARTITION).action == "halt"
    assert gate(work, "filter", PARTITION, RunContext()).action == "review"


def test_what_is_accepted_is_measured_for_the_gates(finished):
    work, *_ = finished
    with work.ledger() as ledger:
        for name in ("generate", "refine", "validate"):
            numbers = ledger.gates.all_metrics(PARTITION, work.chain.by_stage[name]).numbers
            assert numbers["mean_messages"] > 10
            assert 0 < numbers["top_tool_share"] <= 1
            assert 0 <= numbers["tool_entropy"] <= 1
