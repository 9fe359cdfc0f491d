"""`gem top`: what it makes of its sources, how it draws it, and what it does without them."""

import json
import threading
from datetime import UTC, datetime
from io import StringIO
from types import SimpleNamespace

import pytest

from gem_tasks.cli import top as command
from gem_tasks.cli import top_sources
from gem_tasks.cli.terminal import Terminal
from gem_tasks.cli.top_sources import Source, Sources
from gem_tasks.cli.top_state import SILENT_S, Active, Endpoint, Ledgered, picture
from gem_tasks.cli.top_view import drawn
from gem_tasks.domain.pulse import EndpointPulse, Pulse
from gem_tasks.errors import GemError
from gem_tasks.lineage.top import ErrorRow, TotalRow
from gem_tasks.local.airflow_api import AirflowAPI

NOW = 1_800_000_000.0
PARTITION = "2027-01-15T08:00"
HOSTILE = "\x1b]0;owned\x07[red]boom[/] \u202eevil"


def endpoint_pulse(**changes):
    base = {"asks_for": "extract", "endpoint": "https://api.example.com/v1", "model": "m", "in_flight": 7, "limit": 64,
            "ceiling": 64, "waiting": 0, "halved": 0, "paused_s": 0.0, "requests": 100, "faults": {}}  # fmt: skip
    return EndpointPulse(**base | changes)


def pulse(shard=0, endpoint=None, **changes):
    base = {"run_id": "r1", "stage": "extract", "recipe_id": "x", "partition": PARTITION, "shard": shard,
            "records": 200, "done": 50, "replayed": 0, "tokens": 9000, "usd": 0.5, "done_per_s": 2.0,
            "requests_per_s": 2.5, "tokens_per_s": 400.0, "latency_s": 1.5, "slow_s": 4.0,
            "endpoints": (endpoint or endpoint_pulse(),), "started_at": NOW - 60, "at": NOW - 2}  # fmt: skip
    return Pulse(**base | changes)


def active(**changes):
    base = {"dag": "gem_synthesize", "run_id": "r1", "partition": PARTITION, "state": "running",
            "started_at": datetime(2027, 1, 15, 8, tzinfo=UTC), "tasks": {"running": 2}}  # fmt: skip
    return Active(**base | changes)


def ledgered(**changes):
    base = {
        "progress": {PARTITION: {"filter": (1000, 1000), "extract": (100, 400), "generate": (0, 0)}},
        "totals": (
            TotalRow(PARTITION, "extract", "accepted", "", 90, 5000, 1.25, 90),
            TotalRow(PARTITION, "extract", "failed", "malformed", 10, 500, 0.25, 10),
        ),
        "errors": (),
    }
    return Ledgered(**base | changes)


def text(top, width=80, height=None):
    out = StringIO()
    Terminal(file=out, width=width, force_terminal=False).print(drawn(top, height))
    return out.getvalue()


def test_a_run_has_its_progress_rate_time_left_and_cost():
    (run,) = picture(NOW, [], [active()], [pulse(0), pulse(1)], ledgered()).runs
    assert run.stages == {"filter": (1000, 1000), "extract": (100, 400)}
    assert run.now_in == ("extract",)
    assert run.done_per_s == 4.0
    assert run.eta_s == 75, "300 left at 4/s"
    assert run.usd == 1.5
    assert run.tokens == 5500


def test_without_the_lineage_the_time_left_is_that_of_the_running_shards():
    (run,) = picture(NOW, [], [active()], [pulse(0), pulse(1)], None).runs
    assert run.eta_s == 75, "2 × 150 left at 4/s"
    assert run.usd is None


def test_a_run_of_gem_synth_is_known_by_its_pulses_alone():
    (run,) = picture(NOW, [], [], [pulse(run_id="synth__1")], ledgered()).runs
    assert (run.dag, run.partition, run.tasks) == ("", PARTITION, {"running": 1})
    assert "synth 2027" in text(picture(NOW, [], [], [pulse(run_id="synth__1")], ledgered()))


def test_a_shard_that_says_nothing_is_not_counted_but_named():
    top = picture(NOW, [], [active()], [pulse(0), pulse(3, at=NOW - SILENT_S - 1)], ledgered())
    assert [each.shard for each in top.shards] == [0]
    assert top.in_flight == 7
    assert "perhaps dead: 1 (extract 3)" in text(top)


def test_an_unpriced_partition_has_no_cost():
    free = (TotalRow(PARTITION, "extract", "accepted", "", 90, 5000, 0.0, 0),)
    (run,) = picture(NOW, [], [active()], [], ledgered(totals=free)).runs
    assert run.usd is None


@pytest.mark.parametrize(
    ("changes", "health"),
    [
        ({}, "ok"),
        ({"paused_s": 4.2, "halved": 1}, "paused 4 s"),
        ({"faults": {"connection": 100}}, "no answers"),
        ({"halved": 2, "limit": 16}, "throttled"),
        ({"waiting": 5}, "at its limit"),
        ({"waiting": 5, "limit": 32}, "ok"),
    ],
)
def test_the_health_of_an_endpoint(changes, health):
    (found,) = picture(NOW, [], [], [pulse(endpoint=endpoint_pulse(**changes))], None).endpoints
    assert found.health == health


def test_tasks_at_the_same_endpoint_add_up():
    calm, refused = endpoint_pulse(), endpoint_pulse(halved=1, limit=32, paused_s=3.0, faults={"rate_limited": 20})
    (found,) = picture(NOW, [], [], [pulse(0, calm), pulse(1, refused)], None).endpoints
    assert isinstance(found, Endpoint)
    assert (found.in_flight, found.limit, found.ceiling, found.requests) == (14, 96, 128, 200)
    assert (found.paused_s, found.faults) == (3.0, {"rate_limited": 20})


def test_failures_are_counted_by_reason():
    found = picture(NOW, [], [active()], [], ledgered()).failures
    assert [(each.stage, each.why, each.segments) for each in found] == [("extract", "malformed", 10)]


@pytest.mark.parametrize("width", [80, 120])
def test_nothing_is_wider_than_the_terminal_and_no_text_acts(width):
    error = ErrorRow(at=datetime(2027, 1, 15, tzinfo=UTC), stage="extract", error_class="malformed",
                     detail=HOSTILE * 20, partition=PARTITION, shard=0, segment_id="s")  # fmt: skip
    bad = endpoint_pulse(model=HOSTILE, endpoint=f"https://{HOSTILE}/v1", faults={HOSTILE: 3})
    rows = (TotalRow(PARTITION, "extract", "failed", HOSTILE, 3, 0, 0.0, 0),)
    runs = [active(partition=HOSTILE), active(run_id="r2")]
    pulses = [pulse(0, bad), pulse(1, bad, at=0.0, stage=HOSTILE)]
    faults = [f"Airflow unavailable: {HOSTILE}"]
    top = picture(NOW, faults, runs, pulses, ledgered(errors=(error,), totals=rows))
    found = text(top, width)
    assert max(map(len, found.splitlines())) <= width
    assert "[red]boom[/]" in found.replace("\n", ""), "markup is shown, not obeyed"
    assert not set("\x1b\x07\u202e") & set(found)


def test_many_shards_leave_room_for_the_rest():
    found = text(picture(NOW, [], [active()], [pulse(n) for n in range(90)], ledgered()), height=30)
    assert len(found.splitlines()) <= 30
    assert "more" in found
    assert "malformed" in found


def test_json_is_the_whole_picture():
    found = json.loads(picture(NOW, [], [active()], [pulse()], ledgered()).model_dump_json())
    assert found["in_flight"] == 7
    assert found["endpoints"][0]["health"] == "ok"
    assert found["runs"][0]["stages"]["extract"] == [100, 400]


def test_a_source_keeps_its_last_value_and_says_why_it_has_no_newer_one():
    answers = iter([1, GemError("Postgres does not answer\nsecond line"), 2])

    def read():
        found = next(answers)
        if isinstance(found, Exception):
            raise found
        return found

    source = Source("Lineage", read, 0)
    seen = []
    for _ in range(3):
        source.refresh()
        source.wait(5)
        seen.append((source.value, source.complaint(0)))
    assert seen == [(1, ""), (1, "Lineage unavailable: Postgres does not answer"), (2, "")]


def test_an_error_takes_one_line_that_begins_with_when_where_and_what():
    error = ErrorRow(at=datetime(2027, 1, 15, tzinfo=UTC), stage="revalidate", error_class="context_length",
                     detail="long " * 100, partition=PARTITION, shard=0, segment_id="s")  # fmt: skip
    (line,) = [
        each for each in text(picture(NOW, [], [], [], ledgered(errors=(error,)))).splitlines() if "long" in each
    ]
    assert "revalidate context_length" in line
    assert line.count("long") > 5


def test_a_run_between_two_stages_shows_the_first_with_work_left():
    progress = {PARTITION: {"filter": (1000, 1000), "extract": (100, 400), "generate": (50, 100)}}
    found = text(picture(NOW, [], [active()], [], ledgered(progress=progress)))
    assert "100/400 extract" in found


def test_equal_faults_at_two_endpoints_add_up():
    ends = tuple(endpoint_pulse(endpoint=name, faults={"timeout": 3}) for name in ("a", "b"))
    assert "6 timeout" in text(picture(NOW, [], [active()], [pulse(endpoints=ends)], ledgered()), width=120)


def test_nothing_is_said_to_run_or_not_before_the_first_answers():
    sources = Sources(SimpleNamespace())
    sources.airflow._read = sources.pulses._read = lambda: ()
    assert "Waiting for the first answers." in text(command._picture(sources, 10))
    for source in (sources.airflow, sources.pulses):
        source.refresh()
        source.wait(5)
    assert "Nothing is running." in text(command._picture(sources, 10))


def test_a_source_that_hangs_leaves_postgres_its_time(monkeypatch):
    over, sources = threading.Event(), Sources(SimpleNamespace())
    sources.airflow._read = lambda: over.wait(20)
    sources.pulses._read = lambda: ()
    sources.lineage._read = lambda: over.wait(0.2) or ledgered()
    monkeypatch.setattr(command, "_ONCE_S", 2.0)
    found = command._once(sources)
    over.set()
    assert found.failures, "Postgres answered"
    assert [line.partition(":")[0] for line in found.unavailable] == ["Airflow"]


def test_progress_is_counted_at_most_once_a_minute(monkeypatch):
    now, counted = [100.0], []
    monkeypatch.setattr(top_sources, "time", SimpleNamespace(monotonic=lambda: now[0]))
    monkeypatch.setattr(top_sources, "done_of", lambda *_: counted.append(1) or {"filter": (len(counted), 9)})
    sources, seen = Sources(SimpleNamespace()), []
    for now[0] in (100.0, 105.0, 159.0, 161.0):
        seen.append(sources._progress(PARTITION, PARTITION)["filter"][0])
    assert seen == [1, 1, 1, 2]


def test_many_queued_runs_hide_none_that_runs(monkeypatch):
    """As Airflow answers: newest first, one page."""
    every = [{"state": "queued", "id": n} for n in range(500)] + [{"state": "running", "id": -1}]

    def call(_self, _method, _path, *, params):
        states = [params["state"]] if isinstance(params["state"], str) else params["state"]
        return {"dag_runs": [run for run in every if run["state"] in states][: params["limit"]]}

    monkeypatch.setattr(AirflowAPI, "_call", call)
    found = AirflowAPI.active_runs(AirflowAPI.__new__(AirflowAPI))
    assert found[0]["state"] == "running"
    assert {run["state"] for run in found[1:]} == {"queued"}
