"""What can be traced is silent, what was invented is an error, what only a reader can tell is left to the judge."""

import pytest

from gem_tasks.checks import grounding
from gem_tasks.checks.reading.case import Case
from gem_tasks.domain.trajectory import Message, ToolCall, Trajectory
from gem_tasks.domain.workflow import ToolSpec
from tests.factories import say

SCHEMA = {
    "type": "object",
    "properties": {
        "channel": {"type": "string", "enum": ["mail", "phone"]},
        "limit": {"type": "integer", "default": 10},
    },
}
RESULT = (
    '{"orders": [{"order_id": "OR-2647", "price": 12.5, "customer_id": "C-991", "placed": "2026-05-02"}, '
    '{"order_id": "OR-2648", "price": 7.25}], "note": "call \\"Anna\\" first"}'
)


def kinds(arguments, *given, **more):
    return [(found.kind, found.json_path) for found in findings(arguments, *given, **more)]


def findings(
    arguments, user="", system="Today is 2026-05-14, a Thursday. At most 3 weeks.", later="{}", proposal=None, tool="do"
):
    asked = say("user", user or "Please see to it.")
    spoken = (say("assistant", proposal), say("user", "Yes, do that.")) if proposal else ()

    def turn(number, name, given, answer):
        call = ToolCall(id=f"call_{number}", name=name, arguments=given)
        return Message(role="assistant", tool_calls=(call,)), Message(
            role="tool", content=answer, tool_call_id=f"call_{number}"
        )

    messages = (
        say("system", system),
        *turn(1, "list_orders", {}, RESULT),
        asked,
        *spoken,
        *turn(2, tool, arguments, "{}"),
        *turn(3, "get", {}, later),
    )
    tools = (ToolSpec(name=tool, description="d", parameters=SCHEMA),)
    return list(grounding.check(Case(Trajectory(tools=tools, messages=messages))))


@pytest.mark.parametrize(
    ("arguments", "user"),
    [
        ({"order_id": "OR-2647"}, ""),
        ({"order_id": "or2647"}, ""),
        ({"code": "LO-4411"}, "The code is LO 4411."),
        ({"channel": "phone"}, ""),
        ({"limit": 10, "notify": True, "note": None}, ""),
        ({"page": 2, "max_results": 20}, ""),
        ({"weeks": 3}, ""),
        ({"quantity": 25}, "twenty-five of them"),
        ({"quantity": 12}, "a dozen"),
        ({"amount": 1200.5}, "It cost $1,200.50."),
        ({"amount": 1200.5}, "Es kostet 1.200,50 €."),
        ({"amount_cents": 4550}, "45.50 please"),
        ({"discount": 0.15}, "15 % off"),
        ({"minutes": 90}, "an hour and a half, so 1.5 hours"),
        ({"total": 19.75}, ""),
        ({"order_count": 2}, ""),
        ({"budget": 3000}, "three thousand, that is 3k"),
        ({"date": "2026-05-14"}, "today"),
        ({"date": "2026-05-15"}, "tomorrow at the latest"),
        ({"date": "2026-05-22"}, "next Friday"),
        ({"date": "2026-05-28"}, "in two weeks"),
        ({"date": "2026-06-14"}, "one month from now"),
        ({"date": "2026-12-24"}, "on December 24th"),
        ({"date": "2026-12-24"}, "am 24. Dezember"),
        ({"date": "2027-03-01"}, "from March 2027"),
        ({"date": "2026-08-03"}, "8/3/2026"),
        ({"due": "2026-05-09"}, "seven days after it was placed"),
        ({"start": "2026-05-15T14:30:00Z"}, "tomorrow at half past two, 2:30 pm"),
        ({"time": "16:00"}, "at 4 pm"),
        ({"contact": "Anna"}, ""),
        ({"name": "Renée O'Brien"}, "I am renée o’brien"),
        ({"phone": "+49 30 1234567"}, "Ring me at (030) 123-4567"),
        ({"email": "a.b@firm.test"}, "Write to A.B@firm.test!"),
        ({"size": "20 cm"}, "20 centimetres"),
        ({"path": "reports/2026/summary.pdf"}, "the file summary.pdf in reports, 2026"),
        ({"slug": "spring-sale"}, "the spring sale"),
        ({"note": {"text": "The customer asked us to call Anna before delivery."}}, "tell them"),
        ({"items": [{"order_id": "OR-2648", "quantity": 4}]}, "four of the second"),
    ],
    ids=str,
)
def test_what_follows_from_what_was_said_is_traced(arguments, user):
    assert kinds(arguments, user) == []


@pytest.mark.parametrize(
    ("arguments", "user", "kind"),
    [
        ({"order_id": "OR-9999"}, "my order OR-2647", "invented_id"),
        ({"order_id": "OR-264"}, "", "invented_id"),
        ({"user_id": "12345"}, "the one from before", "invented_id"),
        ({"deep": [{"a": {"user_id": "abc123xyz"}}]}, "", "invented_id"),
        ({"email": "jo@else.test"}, "my mail is a.b@firm.test", "invented_address"),
        ({"phone": "+1 555 010 9999"}, "ring me", "invented_address"),
    ],
    ids=str,
)
def test_identifiers_and_addresses_that_nobody_said_are_errors(arguments, user, kind):
    (found,) = findings(arguments, user)
    assert (found.kind, found.severity) == (kind, "error")
    assert found.json_path.startswith("$.")


@pytest.mark.parametrize(
    ("arguments", "user", "kind"),
    [
        ({"quantity": 37}, "some of them", "number"),
        ({"date": "2026-09-19"}, "tomorrow", "date"),
        ({"date": "2026-02-31"}, "end of February", "date"),
        ({"customer_name": "Jonathan Meyer"}, "I want to order", "words"),
        ({"note": "Please use voucher VC-7731 for this order."}, "leave a note", "code"),
        ({"category": "electronics"}, "my laptop broke", "words"),
        ({"token": "abc123xyz"}, "", "code"),
        ({"color_code": "#FF5733"}, "orange, please", "code"),
    ],
    ids=str,
)
def test_what_could_be_inferred_is_left_to_the_judge(arguments, user, kind):
    (found,) = findings(arguments, user)
    assert (found.kind, found.severity) == (kind, "open")


@pytest.mark.parametrize(
    ("arguments", "user"),
    [
        ({"name_contains": "Socket"}, "which bulb goes in?"),
        ({"posted_from": "2026-04-01", "posted_to": "2026-05-14"}, "all of them since April"),
        ({"query": "reading lamp", "limit": 25}, "something for my desk"),
    ],
    ids=str,
)
def test_what_a_look_is_narrowed_down_with_is_no_fact(arguments, user):
    assert kinds(arguments, user, tool="search_items") == []


def test_looking_for_somebody_of_whom_nobody_spoke_is_left_to_the_judge():
    assert kinds({"name": "Jonathan Meyer"}, "who is it?", tool="search_users") == [("words", "$.name")]


def test_an_identifier_is_asked_for_even_in_a_look():
    assert kinds({"order_id": "OR-9999"}, tool="get_order") == [("invented_id", "$.order_id")]


@pytest.mark.parametrize(
    ("arguments", "tool", "user"),
    [
        ({"document_id": "CLOSE-FY-2025"}, "post_entries", "for FY 2025"),
        ({"invoice_number": "INV-77"}, "create_invoice", "make me an invoice"),
    ],
    ids=["put together by a rule", "chosen for what is created"],
)
def test_an_identifier_that_may_be_made_is_left_to_the_judge(arguments, tool, user):
    (found,) = findings(arguments, user, tool=tool, system="Numbers of documents begin with CLOSE and the year.")
    assert (found.kind, found.severity) == ("assembled_id", "open")


def test_a_relative_date_without_a_day_to_count_from_is_left_to_the_judge():
    assert kinds({"date": "2026-09-19"}, "next Friday", system="Be kind.") == [("date", "$.date")]


def test_a_proposal_counts_once_answered_and_for_identifiers_the_judge_is_asked():
    assert kinds({"weeks": 9}, proposal="Shall I take 9 weeks?") == []
    assert kinds({"order_id": "OR-1111"}, proposal="Shall I take OR-1111?") == [("assembled_id", "$.order_id")]


def test_a_value_that_a_later_result_gives_was_used_too_early():
    assert kinds({"loan_id": "L-42"}, later='{"loan_id": "L-42"}') == [("premature_id", "$.loan_id")]


@pytest.mark.parametrize(
    ("arguments", "user", "severity"),
    [
        ({"order_id": "C-991"}, "", "open"),
        ({"order_id": "C-991"}, "order C-991 please", "open"),
        ({"assignee_id": "C-991"}, "", None),
        ({"order_id": "OR-2648"}, "", None),
    ],
    ids=["other letters than all orders have", "the user said so", "no form of its own", "the right kind"],
)
def test_an_identifier_of_another_kind_of_thing_is_a_wrong_source(arguments, user, severity):
    assert [item.severity for item in findings(arguments, user) if item.kind == "wrong_source"] == (
        [severity] if severity else []
    )
