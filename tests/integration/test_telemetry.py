"""Traces and metrics of real stages, as a collector receives them over HTTP."""

import os
import re
import time
from collections import Counter

import pytest
from opentelemetry import trace
from opentelemetry.proto.trace.v1.trace_pb2 import Status
from opentelemetry.sdk.trace import TracerProvider

from gem_tasks.lineage import RunContext
from gem_tasks.pipeline.ingest.source import ingest
from gem_tasks.pipeline.shard.run import run_shard
from gem_tasks.telemetry import otlp
from gem_tasks.telemetry.calls import recording
from tests.collector import attributes, collecting
from tests.corpus import EXAMPLES, PARTITION
from tests.planning import plan

RUN = RunContext(run_id="scheduled__2026-01-31T14:00:00+00:00")
KEY = "sk-not-for-the-collector-0123456789"


@pytest.fixture(autouse=True)
def shut_down_at_the_end():
    yield
    shut_down()


def shut_down():
    """No exporter outlives its test: its thread would draw random numbers beside those of Hypothesis."""
    if otlp._set_up.cache_info().currsize and (found := otlp._set_up(os.getpid())):
        for provider in found.providers:
            provider.shutdown()
    otlp._set_up.cache_clear()


@pytest.fixture
def collector(monkeypatch):
    with collecting() as found:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", found.url)
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")
        yield found
        shut_down()  # while the collector answers


def stages(work, *names):
    ingest(work, str(EXAMPLES / "library-loans.txt"), PARTITION)
    plan(work, PARTITION)
    return [run_shard(work, name, PARTITION, 0, RUN) for name in names]


def test_all_stages_of_a_shard_share_one_trace_that_leads_from_segment_to_calls(workspace, collector):
    stages(workspace(trace_segments=1), "filter", "extract")
    spans = {span.span_id: span for span in collector.spans}
    assert len({span.trace_id for span in spans.values()}) == 1
    tops = {span.name: attributes(span) for span in spans.values() if not span.parent_span_id}
    assert set(tops) == {"filter shard 0", "extract shard 0"}
    filtered = tops["filter shard 0"]
    assert filtered["gem.partition"] == PARTITION
    assert filtered["gem.run_id"] == RUN.run_id
    assert filtered["gem.model"] == "offline-rules"
    chats = [span for span in spans.values() if span.name == "chat"]
    ways = Counter()
    for chat in chats:
        segment = spans[chat.parent_span_id]
        assert segment.start_time_unix_nano <= chat.start_time_unix_nano <= chat.end_time_unix_nano
        assert chat.end_time_unix_nano <= segment.end_time_unix_nano
        assert attributes(chat)["gen_ai.usage.input_tokens"] > 0
        told = attributes(segment)
        assert told["gem.outcome"] == "accepted"
        ways[told["gem.segment_id"]] += 1
        assert spans[segment.parent_span_id].name.startswith(told["gem.stage"])
    assert list(ways.values()) == [2] * len(ways), "a segment in both stages"
    results = [attributes(span) for span in spans.values() if span.name == "filter results"]
    assert sum(each["gem.segments"] for each in results) == len(ways)


def test_no_text_and_no_secret_leaves(workspace, collector, teacher_url):
    work = workspace(trace_segments=1, llm_api_key=KEY, llm_base_url=f"{teacher_url}?rate_malformed=0.5&seed=3")
    stages(work, "filter", "extract")
    sent = b"".join([*collector.raw, *collector.metrics_raw]).decode("utf-8", "replace")
    assert collector.raw
    assert collector.metrics_raw
    assert KEY not in sent
    words = re.findall(r"[A-Za-z]+ [a-z]+ [a-z]+", (EXAMPLES / "library-loans.txt").read_text(encoding="utf-8"))
    assert len(words) > 50
    assert [each for each in words if each in sent] == []
    with work.ledger() as ledger:
        details = ledger.pg.execute("SELECT detail FROM stage_results WHERE detail <> ''").fetchall()
    assert [row["detail"] for row in details if row["detail"] in sent] == []


def test_unsampled_segments_are_only_counted_and_slow_or_failed_ones_are_shown(workspace, collector, teacher_url):
    work = workspace(trace_segments=0, llm_max_attempts=1, llm_base_url=f"{teacher_url}?rate_malformed=1")
    stages(work, "filter")
    names = Counter(span.name for span in collector.spans)
    failed = [span for span in collector.spans if span.name == "filter segment"]
    assert failed
    assert {span.status.code for span in failed} == {Status.STATUS_CODE_ERROR}
    assert {attributes(span)["error.type"] for span in failed} == {"malformed"}
    assert names["chat"] == 2 * len(failed)
    shut_down()
    collector.raw.clear()
    run_shard(work.with_takes_up_to(work.chain.take), "filter", PARTITION, 0, RUN)
    assert collector.raw == [], "a finished shard has no span"


def test_rate_errors_and_duration_by_stage_and_endpoint_with_exemplars(workspace, collector, teacher_url):
    work = workspace(trace_segments=1, llm_base_url=f"{teacher_url}?rate_5xx=0.3&seed=1")
    with recording() as calls:
        reports = stages(work, "filter", "extract")
    counted = Counter()
    for point in collector.points("gem.requests"):
        told = attributes(point)
        assert re.fullmatch(r"127\.0\.0\.1:\d+", told["endpoint"])
        counted[told["stage"], told["outcome"]] += point.as_int
    assert sum(counted.values()) == sum(report.calls for report in reports)
    assert counted["filter", "ok"] > 0
    seen = Counter()
    for call in calls:
        seen.update({(call.stage, result): count for result, count in call.requests.items()})
    assert seen == counted, "what StatsD is told is the same"
    exemplars = collector.exemplars("gem.request.duration")
    chats = {span.span_id: attributes(span) for span in collector.spans if span.name == "chat"}
    assert set(exemplars) == {"filter", "extract"}
    for stage, found in exemplars.items():
        assert found
        for each in found:
            assert chats[each.span_id]["gem.stage"] == stage
            assert chats[each.span_id]["gem.latency_s"] == each.as_double


def test_spans_join_a_trace_that_has_begun(workspace, collector, monkeypatch):
    """As those of a task do when Airflow's own tracing is on."""
    provider = TracerProvider()
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)
    spans = []
    provider.add_span_processor(type("Seen", (trace_processor(),), {"on_end": lambda _, span: spans.append(span)})())
    with provider.get_tracer("airflow").start_as_current_span("worker.filter.run") as task:
        stages(workspace(), "filter")
    (mine,) = [span for span in spans if span.name == "filter shard 0"]
    assert mine.parent.span_id == task.get_span_context().span_id
    assert {span.context.trace_id for span in spans} == {task.get_span_context().trace_id}
    assert collector.raw == []


def trace_processor():
    from opentelemetry.sdk.trace import SpanProcessor

    return SpanProcessor


@pytest.mark.parametrize("how", ["unavailable", "hanging"])
def test_a_collector_that_does_not_answer_costs_seconds_and_nothing_else(workspace, collector, monkeypatch, how):
    if how == "hanging":
        collector.hang.set()
    else:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    flushed = []
    waiting = otlp.Telemetry.flush

    def flush(found):
        began = time.monotonic()
        waiting(found)
        flushed.append(time.monotonic() - began)

    monkeypatch.setattr(otlp.Telemetry, "flush", flush)
    (report,) = stages(workspace(trace_segments=1), "filter")
    assert report.failed == 0
    assert len(flushed) == 1
    assert flushed[0] < 10
    collector.hang.clear()


def test_without_the_variables_nothing_is_set_up(workspace, monkeypatch):
    for name in ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_TRACES_EXPORTER"):
        monkeypatch.delenv(name, raising=False)
    stages(workspace(), "filter")
    assert otlp.telemetry() is None
    assert otlp._set_up.cache_info().currsize == 0


@pytest.mark.parametrize(
    "changes",
    [{"OTEL_SDK_DISABLED": "true"}, {"OTEL_TRACES_EXPORTER": "none", "OTEL_METRICS_EXPORTER": "none"}],
)
def test_the_standard_switches_turn_it_off(collector, monkeypatch, changes):
    for name, value in changes.items():
        monkeypatch.setenv(name, value)
    assert otlp.telemetry() is None


def test_an_exporter_that_does_not_exist_costs_a_warning_and_its_signal(collector, monkeypatch, caplog):
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "carrier-pigeon")
    found = otlp.telemetry()
    assert found.tracer is None
    assert found.instruments is not None, "metrics stay on"
    assert "No traces: there is no exporter of traces called 'carrier-pigeon'" in caplog.text
    assert "No metrics" not in caplog.text


def test_two_exporters_that_do_not_exist_cost_a_warning_each(collector, monkeypatch, caplog):
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "carrier-pigeon")
    monkeypatch.setenv("OTEL_METRICS_EXPORTER", "smoke-signal")
    assert otlp.telemetry() is None
    assert "carrier-pigeon" in caplog.text
    assert "smoke-signal" in caplog.text
