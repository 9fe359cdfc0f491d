"""What people and dashboards are told: over real HTTP and real UDP."""

import asyncio
import json
import socket
import threading
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import SimpleNamespace

import pytest

pytestmark = [pytest.mark.filterwarnings("default")]

RUN = SimpleNamespace(dag_id="gem_synthesize", run_id="r1", partition_key="2026-01-31T14:00")


@pytest.fixture
def hook(monkeypatch):
    """A webhook that keeps what it gets."""
    got = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("GEM_ALERT_URL", f"http://127.0.0.1:{server.server_port}/token-in-path")
    yield got
    server.shutdown()
    server.server_close()


def test_a_halted_gate_says_where_and_why(hook):
    from gem_airflow.alerts import Alert

    ti = SimpleNamespace(task_id="filter.halted", log_url="http://airflow/log")
    error = RuntimeError("accepted_share 0.01 is below 0.05")
    Alert("a gate halted a partition")({"dag_run": RUN, "ti": ti, "exception": error})
    (body,) = hook
    assert body["text"].startswith(
        "GEM: a gate halted a partition: gem_synthesize 2026-01-31T14:00 filter.halted\naccepted_share 0.01"
    )
    assert body["url"] == "http://airflow/log"


def test_a_missed_deadline_reaches_the_hook_from_the_triggerers_plain_context(hook):
    from gem_airflow.alerts import late

    asyncio.run(late({"dag_run": {"dag_id": "gem_ingest", "run_id": "r2", "partition_key": None}}))
    assert hook[0]["text"] == "GEM: late: gem_ingest"


def test_an_alert_that_is_slow_to_send_stops_no_other_trigger(monkeypatch):
    from gem_airflow.alerts import late

    asked, answer = threading.Event(), threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            asked.set()
            answer.wait(60)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("GEM_ALERT_URL", f"http://127.0.0.1:{server.server_port}/")

    async def alert_and_another_trigger():
        sending = asyncio.create_task(late({"dag_run": {"dag_id": "gem_ingest"}}))
        await asyncio.to_thread(asked.wait)
        waited = sending.done()  # this line is the other trigger: it runs while the alert is still on its way
        answer.set()
        await sending
        return waited

    try:
        assert asyncio.run(alert_and_another_trigger()) is False
    finally:
        answer.set()
        server.shutdown()
        server.server_close()


def test_an_alert_that_cannot_be_sent_is_a_warning_without_its_address(monkeypatch, caplog):
    from gem_airflow.alerts import Alert

    monkeypatch.setenv("GEM_ALERT_URL", "http://127.0.0.1:9/token-in-path")
    Alert("a run failed")({"dag_run": RUN})
    assert "a run failed" in caplog.text
    assert "token-in-path" not in caplog.text


def test_a_deadline_exists_only_when_somebody_sets_one(monkeypatch):
    from gem_airflow.alerts import deadline

    assert deadline() == []
    monkeypatch.setenv("GEM_DEADLINE_MINUTES", "90")
    (alert,) = deadline()
    assert alert.interval == timedelta(minutes=90)


def test_a_stages_numbers_leave_as_statsd_metrics():
    import statsd
    from airflow.sdk.observability import stats

    from gem_airflow.metrics import send_decision, send_stage
    from gem_tasks.pipeline.upkeep.observed import Observed

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sink:
        sink.bind(("127.0.0.1", 0))
        sink.settimeout(5)
        from airflow.sdk._shared.observability.metrics.statsd_logger import SafeStatsdLogger

        client = statsd.StatsClient("127.0.0.1", sink.getsockname()[1], prefix="airflow")
        stats.initialize(factory=lambda: SafeStatsdLogger(client), export_legacy_names=False)
        seen = Observed(stage="filter", segments={"accepted": 3}, prompt_tokens=70, usd=0.25, latencies_ms=(1500,))
        try:
            send_stage(seen)
            send_decision("filter", "halt")
            got = {sink.recv(1000).decode() for _ in range(6)}
        finally:
            stats.initialize(factory=None, export_legacy_names=False)
    assert got == {
        "airflow.gem.segments.filter.accepted:3|c",
        "airflow.gem.tokens.filter.prompt:70|c",
        "airflow.gem.tokens.filter.completion:0|c",
        "airflow.gem.cost_micro_usd.filter:250000|c",
        "airflow.gem.latency.filter:1500.000000|ms",
        "airflow.gem.gate_decisions.filter.halt:1|c",
    }


@pytest.mark.parametrize("fails", [False, True])
def test_a_try_in_batch_mode_sends_its_numbers_however_it_ends(monkeypatch, fails):
    from gem_airflow import stage_operator
    from gem_tasks.pipeline.batch import run as batch

    def collect(*_):
        if fails:
            raise RuntimeError("the endpoint refuses the key")
        return SimpleNamespace(model_dump=dict)

    measured = []
    operator = stage_operator.StageOperator(task_id="run", stage="filter", shard={"partition": "p", "shard": 0})
    monkeypatch.setattr(stage_operator, "begun", lambda: "work")
    monkeypatch.setattr(stage_operator, "run_context", lambda: None)
    monkeypatch.setattr(batch, "collect", collect)
    monkeypatch.setattr(operator, "_measure", measured.append)
    event = {"stage": "filter", "partition": "p", "shard": 0, "batches": []}
    if fails:
        with pytest.raises(RuntimeError):
            operator.collected({}, event)
    else:
        operator.collected({}, event)
    assert measured == ["work"]


@pytest.mark.parametrize("ends", ["well", "deferred", "failed"])
def test_requests_of_the_synthesizer_are_sent_however_the_task_ends(monkeypatch, ends):
    from airflow.sdk.exceptions import TaskDeferred

    from gem_airflow import stage_operator
    from gem_tasks.pipeline.batch import run as batch
    from gem_tasks.pipeline.shard import run as online
    from gem_tasks.pipeline.shard import synthesizer
    from gem_tasks.telemetry.calls import Call, record

    def call(stage):
        record(Call(stage=stage, endpoint="a:1", model="m", began_ns=0, ended_ns=1, faults={}))

    def shard(*_):
        call("extract")
        if ends == "failed":
            raise RuntimeError("the endpoint refuses the key")
        return SimpleNamespace(model_dump=dict)

    sent, measured = [], []
    operator = stage_operator.StageOperator(task_id="run", stage="extract", shard={"partition": "p", "shard": 0})
    work = SimpleNamespace(
        options=SimpleNamespace(asks_for=lambda _: True), settings=SimpleNamespace(llm_batch_poll_s=1)
    )
    pending = batch.Pending.model_validate({"stage": "extract", "partition": "p", "shard": 0, "batches": []})
    monkeypatch.setattr(stage_operator, "begun", lambda: work)
    monkeypatch.setattr(stage_operator, "run_context", lambda: None)
    monkeypatch.setattr(stage_operator, "send_calls", lambda calls: sent.extend(each.stage for each in calls))
    monkeypatch.setattr(synthesizer, "synthesize_first", lambda *_: call("draft"))
    monkeypatch.setattr(batch, "submit", lambda *_: pending if ends == "deferred" else None)
    monkeypatch.setattr(online, "run_shard", shard)
    monkeypatch.setattr(operator, "_measure", measured.append)
    if ends == "well":
        operator.execute({})
    else:
        with pytest.raises(RuntimeError if ends == "failed" else TaskDeferred):
            operator.execute({})
    assert sent == (["draft"] if ends == "deferred" else ["draft", "extract"])
    assert measured == ([] if ends == "deferred" else [work])
