"""Pages that somebody reads to decide about data: a synthesizer in use, and a test against a live API."""

import asyncio
from datetime import UTC, datetime

import pytest

from gem_console import rendering
from gem_tasks.domain.synthesis import GroupState, Sampled
from gem_tasks.evals.in_use import Group, InUse, Totals
from gem_tasks.live_apis.kept import KeptReport
from gem_tasks.live_apis.operation import Api, Operation
from gem_tasks.live_apis.report import said, verdict
from gem_tasks.live_apis.run import ground
from gem_tasks.live_apis.sample import Sampled as SampledTalk
from tests.console import hostile_api
from tests.factories import call, make_tool, make_trajectory, result, say

PAYLOAD = hostile_api.PAYLOAD
FITS, NO_CALL = "Every call fits.", "There is no call that counts."
NOTHING, UNKNOWN = "Nothing else than the tools give.", "Unknown: no tool has an operation."


@pytest.fixture
def api(client):
    return lambda path: client("viewer").get(f"api/{path}").json()


def test_a_report_on_a_live_api_says_how_much_fits_and_why_not(client, api, work):
    report_id = hostile_api.kept(work)
    assert f"apis/{report_id}" in client("viewer").get("datasets").text
    page = " ".join(client("viewer").get(f"apis/{report_id}").text.split())
    assert "1 of 2 tools have a counterpart among the 1 operations of Shop" in page
    assert "the operation needs an argument that the call does not give" in page
    assert "create_order: create_order needs `currency`" in page
    assert PAYLOAD not in page and "&lt;img src=x" in page
    found = api(f"apis/{report_id}")["report"]["total"]
    assert (found["mapped_tools"], found["valid"], found["causes"]) == (1, 0, {"missing_argument": 1})
    assert client("viewer").get("apis/nothing").status_code == 404
    work.store.put("api-reports/broken.json", b"{<b>")
    listed = client("viewer").get("datasets").text
    assert f"apis/{report_id}" in listed and "Reports that cannot be read: 1." in listed and "{<b>" not in listed


@pytest.mark.parametrize(
    ("operation", "steps", "calls", "findings"),
    [
        ("create_order", (call(1, "create_order", item="tea"), result(1)), FITS, NOTHING),
        ("create_order", (), NO_CALL, NOTHING),
        ("list_stars", (), NO_CALL, UNKNOWN),
    ],
)
def test_a_report_without_calls_or_operations_does_not_say_that_all_is_well(operation, steps, calls, findings):
    schema = {"type": "object", "properties": {"item": hostile_api.TEXT}}
    shop = Api(title="Shop", operations=(Operation(name=operation, parameters=schema),))
    tools = (make_tool("create_order", item=hostile_api.TEXT),)
    talk = make_trajectory(say("user", "?"), *steps, say("assistant", "."), tools=tools)
    report = asyncio.run(ground([SampledTalk("t", talk, "s1", "file:///a.md")], shop))
    kept = KeptReport(made_at=datetime.now(UTC), report=report)
    place = {"root": "./", "airflow": "../", "path": "/apis/a", "query": {}}
    template = rendering._environment().get_template("api_report.html")
    page = template.render(**place, kept=kept, verdict=verdict(report), said=said)
    assert {line for line in (FITS, NO_CALL, NOTHING, UNKNOWN) if line in page} == {calls, findings}


def test_no_synthesizer_is_said_to_be_none(client, api):
    assert "No synthesizer is in use" in client("viewer").get("synthesizer").text
    assert api("synthesizer") == {"in_use": None}


@pytest.fixture
def found():
    def group(name, texts, accepted, *, is_open, opens):
        own = Totals(texts=texts, accepted=accepted, calls=texts, tokens=1000 * texts, seconds=2.0 * texts)
        other = Totals(texts=texts, accepted=texts, calls=4 * texts, tokens=9000 * texts, seconds=9.0 * texts, usd=1.0)
        state = GroupState(group=name, open=is_open, sampled=Sampled(group=name))
        drop = 0.0 if accepted == texts else 0.4
        return Group(name=name, state=state, opens=opens, synthesizer=own, pipeline=other, alone=Totals(), drop=drop,
                     enough=True)  # fmt: skip

    groups = (group(PAYLOAD, 20, 12, is_open=True, opens=False), group("health", 20, 20, is_open=False, opens=True))
    both = {"synthesizer": groups[0].synthesizer, "pipeline": groups[0].pipeline, "alone": Totals()}
    return InUse(model=PAYLOAD, recipe="r", sample=0.1, groups=groups, refused={f"confirm: {PAYLOAD}": 3}, **both)


def test_a_synthesizer_is_shown_with_costs_decisions_and_drops(found):
    template = rendering._environment().get_template("synthesizer.html")
    place = {"root": "./", "airflow": "../", "path": "/synthesizer", "query": {}}
    page = " ".join(template.render(**place, found=found, opens=0.9, limit=0.2).split())
    assert PAYLOAD not in page and "&lt;img src=x" in page
    assert "open; closed from the next partition on" in page
    assert "closed; open from the next partition on" in page
    assert page.count("what the model learned does not carry over") == 1
    assert "tokens, synthesizer: 1 667" in page
    assert "tokens, pipeline: 9 000" in page
    assert "money, pipeline: $0.0500" in page
    assert "money, synthesizer: " not in page, "no price is known"
    empty = found.model_copy(update={"groups": ()})
    assert "No text went through it yet" in template.render(**place, found=empty, opens=0.9, limit=0.2)
