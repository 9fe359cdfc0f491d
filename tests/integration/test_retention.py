"""What `gem gc` takes and what it leaves, and that a run in between loses nothing."""

import json
import os
import time
from datetime import UTC, datetime, timedelta

import pytest

from gem_tasks.dataset.export import export_openai
from gem_tasks.dataset.publish import publish
from gem_tasks.errors import UserError
from gem_tasks.lineage import Ledger, RunContext
from gem_tasks.pipeline.ingest.source import ingest
from gem_tasks.pipeline.shard.run import run_shard
from gem_tasks.pipeline.upkeep import retention
from gem_tasks.pipeline.upkeep.retention import collect
from gem_tasks.store import keys
from tests.corpus import EXAMPLES, PARTITION
from tests.planning import plan, synthesise

LATER = datetime.now(UTC) + timedelta(days=2)
DAYS_LATER = datetime.now(UTC) + timedelta(days=60)
TEXT = EXAMPLES / "library-loans.txt"


@pytest.fixture
def published(workspace):
    """One document through all stages, published."""
    work = workspace()
    ingest(work, str(TEXT), PARTITION)
    synthesise(work)
    return work, publish(work, PARTITION)


def age(work, days=60):
    """As if everything recorded had been so many days ago."""
    with work.ledger() as ledger:
        for table, column in (("recipes", "last_used_at"), ("datasets", "superseded_at")):
            ledger.pg.execute(f"UPDATE {table} SET {column} = {column} - make_interval(days => {days})")


def gone(found):
    return {swept.what: swept.objects for swept in found.classes if swept.objects}


def listed(work):
    """Without what was learned of endpoints, which no retention is about."""
    return {key for key in work.store.list("") if not key.startswith("dialects/")}


def test_nothing_that_is_current_goes_however_old(published, tmp_path):
    work, _ = published
    age(work)
    before = listed(work)
    found = collect(work, dry_run=False, days=1, now=DAYS_LATER)
    assert gone(found) == {}
    assert (listed(work), found.kept_objects) == (before, len(before))
    assert export_openai(work, tmp_path / "out")[1] == 1


def test_leftovers_go_and_a_dry_run_only_counts_them(published, tmp_path):
    work, _ = published
    recipe = work.chain.id_of("filter")
    left = {
        keys.stage_key("filter", recipe, "2026-01-31T20:00", 0): "unreferenced",
        keys.segments_key("2026-01-31T20:00", 3): "unreferenced",
        keys.journal_prefix(recipe, PARTITION, 0) + "a-000000.jsonl.zst": "journals",
        keys.pulse_key(recipe, PARTITION, 0): "pulses",
        keys.dataset_key("20260131T1400-unfinished", "train-00000.parquet"): "superseded_datasets",
        keys.prefilter_key("0" * 64): "prefilters",
    }
    before = listed(work)
    for key in left:
        work.store.put(key, b"12345")
    part = tmp_path / "store" / "stages" / f".shard.{12:032x}.part"
    part.write_bytes(b"12345")
    local = tmp_path / keys.journal_prefix(recipe, PARTITION, 0)
    local.mkdir(parents=True)
    (local / "w.jsonl").write_bytes(b"12345")
    expected = {"unreferenced": 2, "journals": 2, "pulses": 1, "superseded_datasets": 1, "prefilters": 1,
                "unfinished_writes": 1}  # fmt: skip
    assert gone(collect(work, dry_run=False)) == {}  # all of it is young
    dry = collect(work, dry_run=True, now=LATER)
    assert (gone(dry), dry.bytes) == (expected, 40)
    assert listed(work) == before | set(left)
    assert gone(collect(work, dry_run=False, now=LATER)) == expected
    assert listed(work) == before
    assert not part.exists()
    assert not (local / "w.jsonl").exists()


def test_files_of_others_are_left_alone(published):
    work, _ = published
    for key in ("models/student/weights.bin", "evals/e1/report.json", "stages/notes.txt", "elsewhere/x",
                "datasets/imagenet/train.parquet", "datasets/2026/x/y", "models/prefilter/of-my-own.npz",
                "pulses/notes.json"):  # fmt: skip
        work.store.put(key, b"1")
    assert gone(collect(work, dry_run=False, days=1, now=DAYS_LATER)) == {}


def other(workspace, published):
    """The same after a change of the refine stage's model, published; the first recipes are then old."""
    work = workspace()
    parent = work.chain.by_stage["refine"].parent
    for name in ("refine", "validate", "revise", "revalidate"):
        recipe = work.chain.by_stage[name]
        work.chain.by_stage[name] = recipe.model_copy(update={"version": recipe.version + 1, "parent": parent})
        parent = work.chain.id_of(name)
    synthesise(work)
    again = publish(work, PARTITION)
    assert again.version != published.version
    return work


def test_results_of_old_recipes_and_superseded_datasets_go_after_their_time(published, workspace):
    work, first = published
    new = other(workspace, first)
    old = {key for key in listed(work) if any(work.chain.id_of(name) in key for name in ("refine", "validate"))}
    files = {key for key in listed(work) if first.version in key}
    assert (len(old), len(files)) == (2, 6)
    assert gone(collect(new, dry_run=False, now=LATER)) == {}
    age(new)
    before = listed(work)
    assert gone(collect(new, dry_run=False, now=DAYS_LATER)) == {"old_recipes": 2, "superseded_datasets": 6}
    assert listed(work) == before - old - files
    with new.ledger() as ledger:
        states = ledger.pg.execute("SELECT version, collected_at FROM datasets ORDER BY created_at").fetchall()
        history = ledger.reports.lineage(first.version and f"file://{TEXT}").segments[0].outcomes
    assert [row["collected_at"] is not None for row in states] == [True, False]
    assert len(history) == 7


def test_an_old_recipe_that_comes_back_is_computed_again(published, workspace):
    work, first = published
    new = other(workspace, first)
    age(new)
    collect(new, dry_run=False, now=DAYS_LATER)
    assert len(plan(work, PARTITION)) == 1
    assert synthesise(work) == 2
    assert publish(work, PARTITION).version == first.version
    with work.ledger() as ledger:
        row = ledger.pg.execute("SELECT * FROM datasets WHERE version = %s", [first.version]).fetchone()
    assert (row["superseded_by"], row["superseded_at"], row["collected_at"]) == (None, None, None)


def test_what_was_audited_stays(published, workspace):
    work, first = published
    new = other(workspace, first)
    age(new)
    with new.ledger() as ledger:
        ledger.pg.execute("INSERT INTO audits (audit_id, sample, population, versions) VALUES ('a', '{}', 1, '{}')")
        ledger.pg.execute("UPDATE datasets SET audited_by = 'a' WHERE version = %s", [first.version])
        ledger.pg.execute(
            "INSERT INTO audit_items VALUES ('a', 'x', 1, '', %s, 0, %s)", [PARTITION, work.chain.id_of("validate")]
        )
    assert gone(collect(new, dry_run=False, now=DAYS_LATER)) == {}


def test_a_journal_with_paid_answers_stays_until_its_shard_is_finished(workspace):
    work = workspace()
    ingest(work, str(TEXT), PARTITION)
    plan(work, PARTITION)
    key = keys.journal_prefix(work.chain.id_of("filter"), PARTITION, 0) + "a-000000.jsonl.zst"
    work.store.put(key, b"answers")
    assert gone(collect(work, dry_run=False, now=LATER)) == {}
    with work.ledger() as ledger:
        (segment,) = ledger.stages.segment_ids(PARTITION, 0)
    assert segment
    assert gone(collect(work, dry_run=True, now=DAYS_LATER)) == {"journals": 1}  # nobody came back for it


def test_a_run_between_listing_and_deleting_loses_nothing(workspace, monkeypatch):
    """The listing sees a leftover; before it is deleted, a run writes the same object and its row."""
    work = workspace()
    ingest(work, str(TEXT), PARTITION)
    plan(work, PARTITION)
    key = keys.stage_key("filter", work.chain.id_of("filter"), PARTITION, 0)
    work.store.put(key, b"left by a killed worker")
    remove = retention._Sweeper._remove

    def run_first(sweeper, *arguments):
        assert run_shard(work, "filter", PARTITION, 0, RunContext(run_id="r")).accepted == 1
        return remove(sweeper, *arguments)

    monkeypatch.setattr(retention._Sweeper, "_remove", run_first)
    found = collect(work, dry_run=False, now=LATER)
    assert (gone(found), found.busy_objects) == ({}, 1)
    assert run_shard(work, "extract", PARTITION, 0, RunContext(run_id="r")).accepted == 1


def test_a_writer_between_object_and_row_is_waited_for(published, dsn, monkeypatch):
    work, _ = published
    work.store.put(keys.segments_key("2026-01-31T20:00", 3), b"left")
    monkeypatch.setattr(retention, "_PATIENCE_S", 0.2)
    with Ledger(dsn) as writer, Ledger(dsn) as another, writer.retention.writing(), another.retention.writing():
        found = collect(work, dry_run=False, now=LATER)
        assert (gone(found), found.busy_objects) == ({}, 1)
    assert gone(collect(work, dry_run=False, now=LATER)) == {"unreferenced": 1}


def test_two_collectors_do_not_meet(published, dsn):
    work, _ = published
    with Ledger(dsn) as other_one:
        assert other_one.retention.only_collector()
        with pytest.raises(UserError, match="Another `gem gc` is running"):
            collect(work, dry_run=True)
    collect(work, dry_run=True)


def test_a_bucket_is_collected_like_a_directory(workspace, bucket):
    work = workspace(store_url=f"s3://{bucket}/gem")
    ingest(work, str(TEXT), PARTITION)
    plan(work, PARTITION)
    run_shard(work, "filter", PARTITION, 0, RunContext(run_id="r"))
    before = listed(work)
    for shard in range(7, 10):
        work.store.put(keys.segments_key(PARTITION, shard), b"left")
    assert gone(collect(work, dry_run=False, now=LATER)) == {"unreferenced": 3}
    assert listed(work) == before


def test_pulses_of_killed_tasks_leave_a_bucket_after_a_day(workspace, bucket, monkeypatch):
    work = workspace(store_url=f"s3://{bucket}/gem")
    recipe, now = work.chain.id_of("filter"), datetime.now(UTC)
    killed, again = (keys.pulse_key(recipe, PARTITION, shard) for shard in range(2))
    for key in (killed, again):
        work.store.put(key, b"{}")
    assert gone(collect(work, dry_run=False, now=now + timedelta(hours=23))) == {}
    remove = retention._Sweeper._remove

    def beat_first(sweeper, *arguments):
        work.store.put(again, b'{"at": 1}')  # the shard runs again after the listing
        return remove(sweeper, *arguments)

    monkeypatch.setattr(retention._Sweeper, "_remove", beat_first)
    found = collect(work, dry_run=False, now=now + timedelta(hours=25))
    assert (gone(found), found.bytes, found.busy_objects) == ({"pulses": 1}, 2, 1)
    assert listed(work) == {again}


def test_a_listing_streams(tmp_path, workspace):
    """Ten thousand objects are judged in batches; what is held does not grow with them."""
    folder = tmp_path / "store" / "segments" / "2026-01-31T20:00"
    folder.mkdir(parents=True)
    for number in range(10_000):
        (folder / f"shard-{number:05d}.parquet").touch()
    os.utime(folder / "shard-00007.parquet", (time.time() + 3600 * 48,) * 2)
    found = collect(workspace(), dry_run=True, now=LATER)
    assert gone(found) == {"unreferenced": 9_999}
    assert json.loads(found.model_dump_json())["kept_objects"] == 1
