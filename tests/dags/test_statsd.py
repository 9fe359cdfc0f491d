"""What of a task's requests reaches a StatsD server: over a real socket, by the client that Airflow's settings name."""

import re
import socket

import pytest
import yaml

from gem_tasks.domain.stage import SIMULATED_USER
from gem_tasks.errors import ErrorClass
from gem_tasks.telemetry.calls import Call, place_of
from tests.dags.folder import ROOT

pytestmark = [pytest.mark.filterwarnings("default")]

MAPPINGS = yaml.safe_load((ROOT / "deploy/statsd-mapping.yml").read_text("utf-8"))["mappings"]
ANSWERED = Call(
    stage="filter",
    endpoint=place_of("https://vllm-0.example.com:8000/v1"),
    model="m",
    began_ns=0,
    ended_ns=1,
    faults={ErrorClass.RATE_LIMITED: 2},
    latency_s=1.25,
)
FAILED = ANSWERED._replace(stage=SIMULATED_USER, faults={ErrorClass.TIMEOUT: 3}, error="timeout", latency_s=0.0)


@pytest.fixture(params=[False, True], ids=["plain", "influxdb"])
def sink(request, monkeypatch):
    """The socket of a StatsD server to which Airflow sends, configured as a task's process configures it."""
    from airflow.sdk.configuration import conf
    from airflow.sdk.observability import stats
    from airflow.sdk.observability.metrics import stats_utils

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(0.5)
        monkeypatch.setenv("AIRFLOW__METRICS__STATSD_ON", "True")
        monkeypatch.setenv("AIRFLOW__METRICS__STATSD_HOST", "127.0.0.1")
        monkeypatch.setenv("AIRFLOW__METRICS__STATSD_PORT", str(server.getsockname()[1]))
        monkeypatch.setenv("AIRFLOW__METRICS__STATSD_INFLUXDB_ENABLED", str(request.param))
        configured = stats_utils.get_stats_factory()()
        legacy = conf.getboolean("metrics", "legacy_names_on")
        stats.initialize(factory=lambda: configured, export_legacy_names=legacy)
        yield server
        stats.initialize(factory=None, export_legacy_names=False)
        configured.statsd.close()


def arrived(sink):
    """GEM's datagrams, in order: those that Airflow sends about itself are left out."""
    got = []
    while True:
        try:
            text = sink.recv(4096).decode()
        except TimeoutError:
            return got
        if text.startswith("airflow.gem."):
            got.append(text)


def labelled(datagram):
    """The metric and labels that deploy/statsd-mapping.yml makes of it, its value and its kind."""
    name, value, kind = re.fullmatch(r"([^:|]+):([^:|]+)\|(\w+)", datagram).groups()
    for rule in MAPPINGS:
        if match := re.fullmatch(re.escape(rule["match"]).replace(r"\*", "([^.]+)"), name):
            return rule["name"], tuple(match[int(each[1:])] for each in rule["labels"].values()), float(value), kind
    raise AssertionError(f"no mapping for {name}")


def test_requests_arrive_under_names_that_the_mapping_turns_into_labels(sink):
    from gem_airflow.metrics import send_calls

    send_calls([ANSWERED, FAILED, ANSWERED._replace(latency_s=0.5)])
    got = arrived(sink)
    host = "vllm-0_example_com_8000"
    assert f"airflow.gem.requests.filter.{host}.rate_limited:4|c" in got
    assert sorted(map(labelled, got)) == [
        ("gem_request_duration_seconds", ("filter", host), 500.0, "ms"),
        ("gem_request_duration_seconds", ("filter", host), 1250.0, "ms"),
        ("gem_requests_total", ("filter", host, "ok"), 2.0, "c"),
        ("gem_requests_total", ("filter", host, "rate_limited"), 4.0, "c"),
        ("gem_requests_total", (SIMULATED_USER, host, "timeout"), 3.0, "c"),
    ]


@pytest.mark.parametrize(
    ("url", "endpoint"),
    [
        ("http://[::1]:8000/v1", "_1_8000"),
        ("https://münchen.example/v1", "m_nchen_example"),
        ("https://user:secret@api.example.com/v1", "api_example_com"),
        ("not an address", "invalid"),
        (f"https://{'a.' * 120}example:8000/v1", "a_" * 75),
    ],
)
def test_any_endpoint_is_one_part_of_a_name_that_airflow_accepts(sink, url, endpoint):
    from gem_airflow.metrics import send_calls

    send_calls([ANSWERED._replace(endpoint=place_of(url), stage=SIMULATED_USER)])
    got = arrived(sink)
    assert {labelled(each)[1][1] for each in got} == {endpoint}
    assert len(got) == 3


def test_counts_arrive_even_if_the_server_cannot_keep_up_with_the_durations(sink):
    from gem_airflow.metrics import send_calls

    sink.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16_384)
    send_calls([ANSWERED] * 400)
    got = arrived(sink)
    counted = {labels[2]: value for _, labels, value, kind in map(labelled, got) if kind == "c"}
    assert len(got) < 400, "the server lost nothing, so this test says nothing"
    assert counted == {"ok": 400, "rate_limited": 800}
