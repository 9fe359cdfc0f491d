"""`gem top` over a real lineage, a real store and a stage that runs; and without them."""

import json
import threading

import pytest
from typer.testing import CliRunner

from gem_tasks.cli import top as command
from gem_tasks.cli.main import app
from gem_tasks.cli.top_sources import Sources
from gem_tasks.lineage import RunContext
from gem_tasks.pipeline.ingest.source import ingest
from gem_tasks.pipeline.shard import heartbeat
from gem_tasks.pipeline.shard.run import run_shard
from gem_tasks.store import keys
from tests.corpus import EXAMPLES, PARTITION
from tests.planning import plan


def test_a_running_stage_reports_itself_and_leaves_nothing_behind(workspace, teacher_url, monkeypatch):
    monkeypatch.setattr(heartbeat, "FIRST_S", 0.1)
    monkeypatch.setattr(heartbeat, "EVERY_S", 0.1)
    work = workspace(llm_base_url=f"{teacher_url}?latency_s=1", llm_concurrency=2)
    ingest(work, str(EXAMPLES), PARTITION)
    plan(work, PARTITION)
    sources, seen = Sources(work), []
    stage = threading.Thread(target=run_shard, args=(work, "filter", PARTITION, 0, RunContext(run_id="synth__1")))
    stage.start()
    while stage.is_alive():
        seen += sources._read_pulses()
        stage.join(0.05)
    assert max(each.endpoints[0].in_flight for each in seen) == 2
    assert max(each.done for each in seen) > 0
    pulse = seen[-1]
    assert (pulse.run_id, pulse.stage, pulse.partition, pulse.shard) == ("synth__1", "filter", PARTITION, 0)
    assert pulse.records >= pulse.done
    assert max(each.requests_per_s for each in seen) > 0
    assert 1 <= pulse.latency_s < 30
    (endpoint,) = pulse.endpoints
    assert endpoint.limit == endpoint.ceiling == 2
    assert "?" not in endpoint.endpoint, "a query may hold a secret"
    assert list(work.store.list(keys.PULSES)) == []
    ledgered = sources._read_lineage()
    sources.close()
    assert ledgered.progress == {}, "no run is known"


def test_the_lineage_tells_progress_cost_and_errors_of_what_runs(workspace, teacher_url):
    work = workspace(llm_base_url=f"{teacher_url}?rate_malformed=1")
    ingest(work, str(EXAMPLES / "library-loans.txt"), PARTITION)
    plan(work, PARTITION)
    report = run_shard(work, "filter", PARTITION, 0, RunContext())
    with work.ledger() as ledger:
        rows = ledger.top.totals([PARTITION])
        errors = ledger.top.errors(2)
    assert {(row.stage, row.outcome, row.why): row.segments for row in rows} == {
        ("filter", "failed", "malformed"): report.failed
    }
    assert 0 < len(errors) <= 2
    assert {each.error_class for each in errors} == {"malformed"}


@pytest.mark.parametrize("form", ["--once", "--json"])
def test_without_airflow_and_postgres_there_is_a_line_for_each(tmp_path, monkeypatch, form):
    for name, value in {"GEM_HOME": tmp_path, "GEM_AIRFLOW_URL": "http://127.0.0.1:9", "GEM_STORE_URL": tmp_path / "s",
                        "GEM_LLM_BASE_URL": "http://127.0.0.1:9/v1",
                        "GEM_POSTGRES_DSN": "postgresql://u:secret-word@127.0.0.1:9/x"}.items():  # fmt: skip
        monkeypatch.setenv(name, str(value))
    monkeypatch.setattr(command, "_ONCE_S", 60.0)
    done = CliRunner().invoke(app, ["top", form])
    assert "secret-word" not in done.output
    assert done.exit_code == 0, "the store answered"
    if form == "--once":
        assert "Airflow unavailable: " in done.output
        assert "Lineage unavailable: " in done.output
        assert "No run is known to be running." in done.output
    else:
        assert [line.split()[0] for line in json.loads(done.output)["unavailable"]] == ["Airflow", "Lineage"]
