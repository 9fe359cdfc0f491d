"""A valid trajectory has no findings; each fault is found by the check that owns it, at its place."""

import pytest

from gem_tasks.checks import run_checks
from gem_tasks.checks.schema import argument_faults, tool_faults
from gem_tasks.domain.trajectory import Message, ToolCall
from gem_tasks.domain.workflow import ToolSpec
from tests.factories import TOOLS, call, make_tool, make_trajectory, result, say

VALID = make_trajectory().messages


def found(*messages, tools=TOOLS):
    return {(finding.check, finding.message_index) for finding in run_checks(make_trajectory(*messages, tools=tools))}


def test_a_valid_trajectory_has_no_findings():
    assert run_checks(make_trajectory()) == []


@pytest.mark.parametrize(
    ("messages", "place"),
    [
        (VALID[1:], 0),
        ((*VALID, say("assistant", "again")), 11),
        ((*VALID, say("user", "and?")), 11),
        ((*VALID[:3], *VALID[4:]), 3),
        ((*VALID[:4], result(1), *VALID[4:]), 4),
        ((*VALID[:3], result(9), *VALID[4:]), 3),
        ((*VALID[:1], say("user", "  "), *VALID[2:]), 1),
        (VALID[:-1], 9),
        ((*VALID[:6], call(1, "get_loan", loan_id="L-7"), result(1), *VALID[8:]), 6),
    ],
    ids=[
        "no system prompt",
        "assistant twice",
        "user last",
        "unanswered call",
        "answered twice",
        "answer to an unknown id",
        "silent user",
        "ends with a tool",
        "id used twice",
    ],
)
def test_faults_of_structure_are_found_where_they_are(messages, place):
    assert ("structure", place) in found(*messages)


def test_parallel_calls_may_be_answered_in_any_order():
    both = Message(
        role="assistant",
        tool_calls=(
            ToolCall(id="a", name="get_loan", arguments={"loan_id": "L-7"}),
            ToolCall(id="b", name="get_loan", arguments={"loan_id": "L-8"}),
        ),
    )
    answers = (
        Message(role="tool", content="{}", tool_call_id="b"),
        Message(role="tool", content="{}", tool_call_id="a"),
    )
    parallel = (VALID[0], say("user", "Please look at loans L-7 and L-8."), both, *answers, *VALID[4:])
    assert found(*parallel) == set()


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        ({}, "missing"),
        ({"loan_id": 7}, "wrong type"),
        ({"loan_id": "L-7", "colour": "red"}, "unknown property"),
    ],
)
def test_arguments_are_held_against_the_schema_and_the_kinds_told_apart(arguments, fault):
    ((path, detail),) = argument_faults(make_tool(), arguments)
    assert path.startswith("$")
    assert detail.startswith(fault)


def test_an_undefined_function_is_found():
    assert ("schema", 2) in found(*VALID[:2], call(1, "burn_library"), *VALID[3:])


@pytest.mark.parametrize(
    "parameters",
    [
        {"type": "array"},
        {"type": "object", "properties": {"a": {"type": "text"}}},
        {"type": "object", "properties": {"a": {"pattern": "("}}},
        {"type": "object", "properties": {}, "required": ["a"]},
    ],
)
def test_a_schema_that_no_api_would_take_is_a_finding(parameters):
    tool = ToolSpec(name="t", description="d", parameters=parameters)
    assert list(tool_faults(tool))
    assert ("schema", None) in found(*VALID, tools=(*TOOLS, tool))


def test_a_reference_in_a_schema_never_fetches_a_url():
    tool = make_tool(loan_id={"$ref": "http://192.0.2.1/schema.json"})
    (fault,) = tool_faults(tool)
    assert "Retrieval is disabled" in fault


def test_two_tools_of_one_name_are_a_finding():
    assert ("schema", None) in found(*VALID, tools=(*TOOLS, make_tool("get_loan")))


@pytest.mark.parametrize("leak", ["<func>", "</assistant>", "<think>", "<|im_end|>", "<tool_call>"])
def test_traces_of_the_format_are_found(leak):
    assert ("leak", 10) in found(*VALID[:-1], say("assistant", f"Done. {leak}"))


def test_too_simple_a_conversation_is_refused():
    assert found(*VALID[:5]) == {("complexity", None)}


def test_an_integer_beyond_any_float_is_a_changed_fact_and_no_crash():
    def told(number, price):
        answer = f'{{"loan_id": "L-7", "price": {price}}}'
        return call(number, "get_loan", loan_id="L-7"), result(number, answer)

    messages = (*VALID[:2], *told(1, 3), *told(2, 10**400), say("assistant", "It is overdue."))
    assert ("realism", 5) in found(*messages)


CLOSE = make_tool("close_loan")


def closed(*talk):
    """How a loan is closed after a try that failed, with this talk before each try; findings about consent."""
    first, second = talk
    locked = result(1, '{"error": {"code": "locked", "message": "Loan L-7 is locked."}}')
    messages = (
        *VALID[:1], *first, call(1, "close_loan", loan_id="L-7"), locked, *second, call(2, "close_loan", loan_id="L-7"),
        result(2, '{"loan_id": "L-7", "status": "closed"}'), say("assistant", "Loan L-7 is closed."),
    )  # fmt: skip
    findings = run_checks(make_trajectory(*messages, tools=(*TOOLS, CLOSE)))
    return [finding.kind for finding in findings if finding.check == "confirmation"]


ASKED = (say("user", "The loan L-7."), say("assistant", "Shall I close loan L-7?"), say("user", "Yes."))
UNASKED = (say("user", "The matter of L-7."),)
TRY = (say("assistant", "L-7 is locked. Leave it?"), say("user", "It is free now. Try once more."))
YES = (say("assistant", "L-7 is locked. Shall I try again to close it?"), say("user", "Yes, try again."))


def test_another_try_needs_no_second_yes_and_is_none():
    assert closed(ASKED, TRY) == []
    assert closed(UNASKED, YES) == []
    assert closed(UNASKED, TRY) == ["unconfirmed"]
