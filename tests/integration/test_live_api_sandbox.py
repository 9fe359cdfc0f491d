"""Calls of conversations to APIs in the forms that public ones have, against servers that enforce them."""

from pathlib import Path

import pytest

from gem_tasks.live_apis.http_api import HttpApi
from gem_tasks.live_apis.openapi import read_spec
from gem_tasks.live_apis.run import ground
from gem_tasks.live_apis.sample import Sampled
from tests.apis import sandbox
from tests.factories import call, make_tool, make_trajectory, result, say

APIS = Path(sandbox.__file__).parent
TEXT, NUMBER, WHOLE, THING = ({"type": kind} for kind in ("string", "number", "integer", "object"))


def talk(*steps, **tools):
    """A conversation of calls: `(tool, arguments, answer)`."""
    messages = [say("user", "Please.")]
    for at, (name, arguments, answer) in enumerate(steps, start=1):
        messages += [call(at, name, **arguments), result(at, answer)]
    made = tuple(make_tool(name, **parameters) for name, parameters in tools.items())
    return [Sampled("t", make_trajectory(*messages, say("assistant", "Done."), tools=made), "s", "file:///a.md")]


async def grounded(name, sample, key=sandbox.KEY, **options):
    api = read_spec(next(APIS.glob(f"{name}.*")))
    assert not api.unusable
    with sandbox.serving() as (url, server):
        async with HttpApi(url, key, 30) as http:
            return await ground(sample, api, http.call, **{"allow_writes": True, **options}), server.requests


async def test_weather_takes_lists_with_commas_and_a_key_among_its_parameters():
    sample = talk(
        ("get_forecast", {"latitude": 52.5, "longitude": "13.4", "hourly": ["rain", "wind"]}, "{}"),
        ("get_forecast", {"latitude": 520, "longitude": 13.4}, "{}"),
        ("get_forecast", {"latitude": 1, "longitude": 1, "hourly": ["snow"]}, "{}"),
        get_forecast={"latitude": NUMBER, "longitude": TEXT, "hourly": {"type": "array"}},
    )
    report, requests = await grounded("weather", sample)
    assert (report.total.valid, report.total.succeeded) == (1, 1)
    assert report.total.causes == {"out_of_range": 1, "not_in_enum": 1}
    assert ("hourly", "rain,wind") in requests[0][2]


async def test_a_calendar_wants_a_time_zone_and_what_it_makes_can_be_fetched():
    event = {"calendar_id": "primary", "summary": "Tea"}
    sample = talk(
        ("create_event", {**event, "start": {"dateTime": "2026-01-05T10:00"}}, '{"event_id": "E-0"}'),
        ("create_event", {**event, "start": {"dateTime": "2026-01-05T10:00:00+01:00"}}, '{"event_id": "E-1"}'),
        ("get_event", {"calendar_id": "primary", "event_id": "E-1"}, '{"event_id": "E-1"}'),
        ("get_event", {"calendar_id": "primary", "event_id": "E-9"}, '{"event_id": "E-9"}'),
        create_event={"calendar_id": TEXT, "summary": TEXT, "start": THING},
        get_event={"calendar_id": TEXT, "event_id": TEXT},
    )
    report, _ = await grounded("calendar", sample)
    assert report.total.causes == {"wrong_format": 1, "http_404": 1}
    assert report.total.succeeded == 2
    (wanted,) = [each for each in report.findings if each.kind == "wrong_format"]
    assert "wants a time with its offset from UTC" in wanted.detail
    assert (wanted.tool, wanted.parameter, wanted.calls, wanted.segment_id) == ("create_event", "start", 1, "s")


async def test_flights_in_swagger_2():
    days = {"origin_location_code": "BER", "destination_location_code": "OSL", "adults": 2}
    sample = talk(
        ("search_flight_offers", {**days, "departure_date": "2026-02-01"}, "{}"),
        ("search_flight_offers", {**days, "departure_date": "tomorrow"}, "{}"),
        ("search_flight_offers", {**days, "departure_date": "2026-02-01", "adults": 0}, "{}"),
        ("search_flight_offers", {"departure_date": "2026-02-01", "adults": 1}, "{}"),
        search_flight_offers=dict.fromkeys((*days, "departure_date"), TEXT),
    )
    report, _ = await grounded("flights", sample)
    assert report.total.causes == {"wrong_format": 1, "out_of_range": 1, "missing_argument": 1}
    assert report.total.succeeded == 1


async def test_issues_whose_fields_have_alternatives():
    place = {"owner": "ann", "repo": "tea"}
    sample = talk(
        ("create_issue", {**place, "title": "It leaks", "labels": ["bug"], "milestone": None}, '{"issue_id": 3}'),
        ("create_issue", {**place, "title": ["It leaks"]}, "{}"),
        create_issue={"owner": TEXT, "repo": TEXT, "title": TEXT, "labels": {"type": "array"}, "milestone": TEXT},
    )
    report, _ = await grounded("issues", sample)
    assert report.total.causes == {"invalid_argument": 1}
    assert report.total.succeeded == 1


CHARGE = {"amount": 1250, "currency": "eur", "metadata": {"order": "A 7"}, "expand": ["customer"]}
PAYMENTS = {
    "create_charge": {"amount": WHOLE, "currency": TEXT, "metadata": THING, "expand": {"type": "array"}},
    "capture_charge": {"charge_id": TEXT},
    "get_charge": {"charge_id": TEXT},
}
PAID = talk(
    ("create_charge", CHARGE, '{"charge_id": "C-1"}'),
    ("capture_charge", {"charge_id": "C-1"}, '{"charge_id": "C-1"}'),
    ("capture_charge", {"charge_id": "C-1"}, '{"charge_id": "C-1"}'),
    ("get_charge", {"charge_id": "C-1"}, '{"charge_id": "C-1"}'),
    **PAYMENTS,
)


async def test_payments_take_forms_and_capture_a_charge_once():
    report, requests = await grounded("payments", PAID)
    assert {each.match.tool: each.match.operation for each in report.tools} == {
        "create_charge": "PostCharges", "capture_charge": "PostChargesChargeCapture", "get_charge": "GetChargesCharge",
    }  # fmt: skip
    assert requests[0][3:] == (
        "application/x-www-form-urlencoded",
        "amount=1250&currency=eur&metadata%5Border%5D=A+7&expand%5B0%5D=customer",
    )
    assert (report.total.sent, report.total.succeeded, report.total.causes) == (4, 3, {"http_409": 1})
    (rejected,) = [each for each in report.findings if each.kind == "rejected"]
    assert "already been captured" in rejected.detail


async def test_only_reading_calls_are_sent_unless_writes_are_allowed():
    report, requests = await grounded("payments", PAID, allow_writes=False)
    assert [method for method, *_ in requests] == ["GET"]
    assert report.total.causes == {"write_not_allowed": 3, "http_404": 1}


async def test_a_limit_of_calls_is_kept():
    report, requests = await grounded("payments", PAID, max_calls=2)
    assert len(requests) == 2
    assert report.total.causes["call_limit"] == 2


async def test_a_wrong_key_is_a_cause_and_is_never_shown():
    report, _ = await grounded("payments", PAID, key="another-secret")
    assert report.total.causes == {"http_401": 4}
    assert "another-secret" not in report.model_dump_json()


async def test_what_the_real_operation_needs_and_a_tool_lacks_is_a_finding_of_the_tool():
    sample = talk(
        ("create_charge", {"amount": 12.5, "memo": "tea"}, "{}"), create_charge={"amount": NUMBER, "memo": TEXT}
    )
    report, requests = await grounded("payments", sample)
    assert not requests
    found = {(each.kind, each.parameter): each for each in report.findings}
    assert found["needs", "currency"].calls == 1
    assert found["needs", "currency"].detail == "PostCharges needs `currency`: Three-letter ISO code."
    assert found["wrong_type", "amount"].calls == 1
    assert found["no_counterpart", "memo"].calls == 0


@pytest.mark.parametrize("name", ["weather", "calendar", "flights", "issues", "payments"])
async def test_tools_of_another_field_are_not_mapped(name):
    sample = talk(
        ("list_warehouse_items", {"shelf": "7"}, "{}"),
        list_warehouse_items={"shelf": TEXT}, print_customer_statement={"customer": TEXT}, post_journal={"id": TEXT},
    )  # fmt: skip
    report, requests = await grounded(name, sample)
    assert (report.total.mapped_tools, report.findings, requests) == (0, (), [])
