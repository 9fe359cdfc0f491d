"""Runs that overlap, and workers that die: real processes and connections, one Postgres."""

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from gem_tasks.dataset import publish as publishing
from gem_tasks.dataset.export import published
from gem_tasks.dataset.publish import publish
from gem_tasks.domain.corpus import IngestReason, RawDocument
from gem_tasks.errors import StoreError
from gem_tasks.lineage import Ledger, RunContext
from gem_tasks.pipeline.ingest import pool
from gem_tasks.pipeline.ingest.pool import prepared
from gem_tasks.pipeline.ingest.prepare import Rules
from gem_tasks.pipeline.ingest.source import ingest
from gem_tasks.pipeline.shard.run import run_shard
from gem_tasks.store import keys, shards
from tests.corpus import EXAMPLES
from tests.integration.documents import FIRST, SECOND, states, text, write
from tests.planning import plan, synthesise

RULES = Rules(license=None, target_tokens=1200, max_tokens=2400, min_chars=10, signed=True)


def at_once(*jobs):
    with ThreadPoolExecutor(len(jobs)) as pool:
        return [future.result() for future in [pool.submit(job) for job in jobs]]


def texts_in_store(work, partition):
    """Segments that Postgres knows, each looked up in the object of its shard."""
    with work.ledger() as ledger:
        known = {
            number: ledger.stages.segment_ids(partition, number) for number, _ in ledger.ingestion.shards(partition)
        }
    found: dict[int, bool] = {}
    for number, ids in known.items():
        stored = shards.decode_segments(work.store.get(keys.segments_key(partition, number)))
        found[number] = {segment.segment_id for segment in stored} >= ids
    return found


def test_two_ingestions_of_one_partition_keep_every_text_once(workspace, tmp_path):
    """Two sources that share half of their texts, and one of them twice."""
    work = workspace(shard_segments=2)
    one = write(tmp_path / "one", **{f"n{number}": text(f"w{number}") for number in range(24)})
    two = write(tmp_path / "two", **{f"m{number}": text(f"w{number}") for number in range(12, 36)})
    reports = at_once(*(lambda source=source: ingest(work, source, FIRST) for source in (one, two, one)))
    found = states(work)
    assert sum(state == ["live"] for state in found.values()) == 36
    assert sum(state == ["duplicate"] for state in found.values()) == 12
    assert sum(report.segments for report in reports) == 36
    stored = texts_in_store(work, FIRST)
    assert len(stored) >= 12
    assert all(stored.values())


def test_a_dead_ingestion_gives_its_locks_back_and_loses_nothing(workspace, tmp_path, dsn):
    source = write(tmp_path / "s", **{f"n{number:03}": text(f"w{number}") for number in range(400)})
    script = (
        "from gem_tasks.pipeline.ingest.source import ingest; from gem_tasks.pipeline.workspace import Workspace;"
        f"from gem_tasks.settings import load; ingest(Workspace.open(load()), {source!r}, {FIRST!r})"
    )
    env = {
        **os.environ, "GEM_HOME": str(tmp_path), "GEM_POSTGRES_DSN": dsn, "GEM_STORE_URL": str(tmp_path / "store"),
        "GEM_SHARD_SEGMENTS": "4",
    }  # fmt: skip
    with (
        subprocess.Popen([sys.executable, "-c", script], env=env) as worker,
        psycopg.connect(dsn, autocommit=True) as pg,
    ):
        deadline = time.monotonic() + 120
        while pg.execute("SELECT count(*) FROM documents").fetchone()[0] < 30:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        worker.send_signal(signal.SIGKILL)
    work = workspace(shard_segments=4)
    ingest(work, source, FIRST)
    assert set(map(tuple, states(work).values())) == {("live",)}
    assert len(states(work)) == 400
    assert all(texts_in_store(work, FIRST).values())


def test_two_syntheses_of_one_partition_pay_once(workspace, tmp_path, teacher_url):
    work = workspace(llm_base_url=f"{teacher_url}?latency_s=0.02")
    ingest(work, str(EXAMPLES), FIRST)
    pending = plan(work, FIRST)
    shard = pending[0]["shard"]

    def run():
        return run_shard(work, "filter", FIRST, shard, RunContext())

    first, second = at_once(run, run)
    assert sorted([first.calls, second.calls])[0] == 0
    assert (first.accepted, first.rejected) == (second.accepted, second.rejected)
    with work.ledger() as ledger:
        rows = ledger.pg.execute("SELECT attempts FROM stage_results").fetchall()
    assert {row["attempts"] for row in rows} == {1}


def test_a_stage_that_lost_its_lock_writes_no_object(workspace, dsn):
    work = workspace()
    ingest(work, str(EXAMPLES / "library-loans.txt"), FIRST)
    plan(work, FIRST)
    with work.ledger() as holder, psycopg.connect(dsn, autocommit=True) as other:
        with holder.locks.shard("r", FIRST, 0):
            other.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND pid <> pg_backend_pid()"
            )
            with pytest.raises(StoreError, match="lock is lost"):
                holder.locks.still_locked()
        with Ledger(dsn) as next_one, next_one.locks.shard("r", FIRST, 0):
            pass


def test_a_publication_waits_for_one_that_saw_less(workspace, tmp_path, monkeypatch):
    """What an earlier look had chosen may not become current after a later look."""
    folder = tmp_path / "s"
    folder.mkdir()
    for name in ("library-loans.txt", "hotel-front-desk.md"):
        (folder / name).write_text((EXAMPLES / name).read_text(encoding="utf-8"), encoding="utf-8")
    work = workspace()
    ingest(work, str(folder), FIRST)
    synthesise(work, FIRST)
    looked, go_on = threading.Event(), threading.Event()
    real = publishing.manifest_of

    def slow(*args):
        if not looked.is_set():
            looked.set()
            assert go_on.wait(60)
        return real(*args)

    monkeypatch.setattr(publishing, "manifest_of", slow)
    with ThreadPoolExecutor(2) as pool:
        early = pool.submit(publish, work, FIRST)
        assert looked.wait(60)
        (folder / "library-loans.txt").unlink()
        ingest(work, str(folder), SECOND)
        late = pool.submit(publish, work, FIRST)
        time.sleep(0.3)
        assert not late.done()
        go_on.set()
        assert (early.result().trajectories, late.result().trajectories) == (2, 1)
    assert len(list(published(work))) == 1
    assert publishing.changed_partitions(work) == []


def test_processes_keep_the_order_and_a_deadly_document_stops_nobody(monkeypatch):
    monkeypatch.setattr(pool, "_ALONE", 0)  # short texts would need no process
    batches = [(number, [raw(f"{number}-{each}") for each in range(32)]) for number in range(24)]
    batches[15][1][7] = raw("poison")
    code = (
        "import os, sys; from gem_tasks.pipeline.ingest import pool; real = pool.prepare\n"
        "def prepare(raws, rules, *more):\n"
        "    if any(raw.uri.endswith('poison') for raw in raws): os._exit(9)\n"
        "    return real(raws, rules, *more)\n"
        "pool.prepare = prepare\n"
        "pool.serve(sys.stdin.buffer, sys.stdout.buffer)"
    )
    found = list(prepared(batches, RULES, 2, command=[sys.executable, "-c", code]))
    assert [label for label, _ in found] == list(range(24))
    documents = [each.document for _, answers in found for each in answers]
    assert [document.uri for document in documents] == [item.uri for _, raws in batches for item in raws]
    bad = [document for document in documents if document.reason]
    assert [(document.uri, document.reason) for document in bad] == [("file:///poison", IngestReason.UNREADABLE)]
    assert "killed" in bad[0].detail


def raw(name):
    return RawDocument(uri=f"file:///{name}", etag="1", text=text(name))
