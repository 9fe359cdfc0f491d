"""What the assistant says and what the user agreed to: both directions of every idea."""

import pytest

from gem_tasks.checks import run_checks
from gem_tasks.checks.reading.case import Evidence
from gem_tasks.domain.workflow import ExecutionGraph, Extraction, Requirement, ToolSpec, Workflow
from tests.factories import call, make_tool, make_trajectory, result, say

BILLS = '{"bills": [{"bill_no": "INV-4411", "amount": 1200.5}, {"bill_no": "INV-4412", "amount": 310}]}'
TOOLS = (make_tool("list_bills", customer_id={"type": "string"}), make_tool("cancel_bill", bill_no={"type": "string"}),
         make_tool("delete_bill_line", bill_no={"type": "string"}, line={"type": "integer"}))  # fmt: skip
OPENING = (
    say("system", "Bills are cancelled only on demand."),
    say("user", "What does C-9 owe?"),
    call(1, "list_bills", customer_id="C-9"),
    result(1, BILLS),
)


def found(*messages, check, tools=TOOLS, evidence=None):
    made = make_trajectory(*OPENING, *messages, tools=tools)
    return [(each.kind, str(each.severity)) for each in run_checks(made, evidence or Evidence()) if each.check == check]


@pytest.mark.parametrize(
    ("words", "kinds"),
    [
        ("INV-4411 is 1,200.50 and INV-4412 is 310.00, together 1,510.50.", []),
        ("INV-4411 is higher by 890.50.", []),
        ("INV-4417 is the larger one.", [("unknown_id", "open")]),
        ("Together they owe 1,840.75.", [("amount", "open")]),
        (f"The serial is {'9' * 400}, the fee 1,840.75.", [("amount", "open")]),
        ("That makes 2 bills, as of 3 May 2025, at 14:30.", []),
        ("See RFC-2119 for the word must.", []),
    ],
)
def test_what_it_quotes_comes_from_somewhere(words, kinds):
    assert found(say("assistant", words), check="claims") == kinds


@pytest.mark.parametrize(
    ("words", "kinds"),
    [
        ("I'm afraid I can't cancel that bill.", [("false_refusal", "open")]),
        ("I have no tool to cancel a bill.", [("false_refusal", "open")]),
        ("I can't cancel the bill before you agree.", []),
        ("I have no tool to send letters.", []),
    ],
)
def test_it_says_that_it_cannot_only_where_no_tool_can(words, kinds):
    assert found(say("assistant", words), check="claims") == kinds


@pytest.mark.parametrize(
    ("words", "kinds"),
    [
        ("I've cancelled the bill.", [("claimed_deed", "error")]),
        ("I've cancelled out the two amounts.", [("reported_deed", "open")]),
        ("The payment has been approved.", [("reported_deed", "open")]),
        ("I used list_bills for that.", []),
        ("I'll use cancel_bill for that. Shall I?", []),
        ("I'm now running cancel_bill for you.", [("prose_call", "error")]),
        ('{"name": "cancel_bill", "arguments": {}}', [("prose_call", "error")]),
    ],
)
def test_a_deed_needs_a_call(words, kinds):
    assert found(say("assistant", words), check="claims") == kinds


def consent(*talk, tool="cancel_bill", more=(), **arguments):
    arguments = arguments or {"bill_no": "INV-4411"}
    deed = (call(2, tool, **arguments), result(2, '{"done": true}'))
    return [kind for kind, _ in found(*talk, *deed, say("assistant", "Done."), *more, check="confirmation")]


ASKED = say("assistant", "Two bills are open. Shall I cancel INV-4411?")
ASIDE = say("user", "One moment, the phone is ringing.")


@pytest.mark.parametrize(
    ("talk", "kinds"),
    [
        ((ASKED, say("user", "Yes, please.")), []),
        ((say("assistant", "Two bills."), say("user", "Cancel INV-4411, that was a mistake.")), []),
        (
            (
                say("assistant", "Two."),
                say("user", "If it is from May, cancel it."),
                say("assistant", "From May."),
                ASIDE,
            ),
            [],
        ),
        ((say("assistant", "Two bills."), ASIDE), ["unconfirmed"]),
        ((ASKED, say("user", "No, not yet.")), ["unconfirmed"]),
        ((ASKED, say("user", "Don't cancel it before I have asked.")), ["instructed_only"]),
    ],
    ids=["asked", "ordered", "in advance", "not asked", "refused", "forbidden"],
)
def test_consent_is_a_yes_or_an_order(talk, kinds):
    assert consent(*talk) == kinds


def test_a_yes_is_spent_with_the_deed():
    again = (ASIDE, call(3, "cancel_bill", bill_no="INV-4412"), result(3, '{"done": true}'), say("assistant", "Done."))
    assert consent(ASKED, say("user", "Yes."), more=again) == ["unconfirmed"]


def test_a_line_of_an_open_bill_can_be_put_back():
    assert consent(say("assistant", "Two bills."), ASIDE, tool="delete_bill_line", bill_no="INV-4411", line=2) == []


def order(*messages, requires=("cancel_bill", "list_bills"), first=OPENING[:2]):
    """Findings about order, where the text demands that the second comes first."""
    workflow = Workflow(
        description="Cancelling.", steps=("List the bills of the customer.", "Cancel one."),
        execution_graph=ExecutionGraph.parse("(list_bills)->(cancel_bill)"), tools=TOOLS,
        requires=(Requirement(tool=requires[0], after=requires[1]),),
    )  # fmt: skip
    made = make_trajectory(*first, *messages, say("assistant", "Done."), tools=TOOLS)
    findings = run_checks(made, Evidence(None, Extraction(workflows=(workflow,))))
    return [each for each in findings if (each.check, each.kind) == ("policy", "order")]


CANCEL = (call(2, "cancel_bill", bill_no="INV-4411"), result(2, '{"done": true}'))
LIST = (call(1, "list_bills", customer_id="C-9"), result(1, BILLS))


def test_what_comes_first_is_opened_once_and_shows_the_judge_the_step():
    (finding,) = order(*CANCEL, call(3, "cancel_bill", bill_no="INV-4412"), result(3, '{"done": true}'), *LIST)
    assert finding.severity == "open"
    assert "List the bills of the customer." in finding.detail


def test_reads_break_no_order_and_what_was_done_stays_done():
    assert order(*LIST, *CANCEL) == []
    assert order(*LIST, *CANCEL, requires=("list_bills", "cancel_bill")) == []


def test_what_comes_later_for_another_thing_had_been_so_for_this_one():
    line = (call(2, "delete_bill_line", bill_no="INV-4411", line=1), result(2, '{"done": true}'))
    other = (call(3, "cancel_bill", bill_no="INV-4412"), result(3, '{"done": true}'))
    same = (call(3, "cancel_bill", bill_no="INV-4411"), result(3, '{"done": true}'))
    assert order(*line, *other, requires=("delete_bill_line", "cancel_bill")) == []
    assert order(*line, *same, requires=("delete_bill_line", "cancel_bill")) != []


@pytest.mark.parametrize(
    ("rule", "kinds"),
    [
        ("Boats are let for at most 9 hours a day to members.", [("misquoted", "open")]),
        ("Boats are let for at most 5 hours a day to members.", []),
        ("In version 22 the booking page shows a new calendar.", []),
    ],
)
def test_a_rule_is_held_against_the_text(rule, kinds):
    text = "Boats are let for at most 5 hours a day to members. In 2023 (v22) the booking page shows a new calendar."
    messages = (say("system", rule), *OPENING[1:], say("assistant", "Two bills."))
    findings = run_checks(make_trajectory(*messages, tools=TOOLS), Evidence(text))
    assert [(each.kind, str(each.severity)) for each in findings if each.check == "policy"] == kinds


def test_a_format_is_no_limit_that_refuses():
    tool = ToolSpec(
        name="book", description="Books.",
        parameters={"type": "object", "properties": {"at": {"type": "string", "format": "date-time"}}},
    )  # fmt: skip
    messages = (call(2, "book", at="2025-05-03T14:30"), result(2), say("assistant", "Booked."))
    assert found(*messages, check="schema", tools=(*TOOLS, tool)) == [("format", "open")]
