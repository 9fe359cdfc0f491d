"""The whole pipeline in-process: real Postgres, a real endpoint over HTTP, a directory or S3."""

import gzip
import json
import os

import jsonschema
import pytest

from gem_tasks.dataset.export import export_openai, trajectory
from gem_tasks.dataset.publish import publish
from gem_tasks.domain.stage_settings import StageSettings
from gem_tasks.errors import ErrorClass, UserError
from gem_tasks.lineage import Ledger, RunContext
from gem_tasks.pipeline.ingest.source import ingest
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
