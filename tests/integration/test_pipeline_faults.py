"""What goes wrong while the pipeline runs: models, endpoints, workers, money and objects."""

import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

from gem_tasks.errors import StoreError, UserError
from gem_tasks.lineage import RunContext
from gem_tasks.pipeline.ingest.source import ingest
from gem_tasks.pipeline.shard.run import run_shard
from tests.corpus import EXAMPLES, PARTITION
from tests.planning import plan, synthesise


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
    work = workspace(shard_segments=300, llm_slots=1, llm_base_url=slow, llm_concurrency=4, near_duplicate=0)
    ingest(work, str(corpus), PARTITION)
    plan(work, PARTITION)
    script = (
        "from gem_tasks.pipeline.shard.run import run_shard; from gem_tasks.pipeline.workspace import Workspace;"
        "from gem_tasks.lineage import RunContext; from gem_tasks.settings import load;"
        f"run_shard(Workspace.open(load()), 'filter', {PARTITION!r}, 0, RunContext())"
    )
    env = {
        **os.environ, "GEM_HOME": str(tmp_path), "GEM_POSTGRES_DSN": dsn, "GEM_STORE_URL": str(tmp_path / "store"),
        "GEM_LLM_BASE_URL": slow, "GEM_LLM_CONCURRENCY": "4",
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
