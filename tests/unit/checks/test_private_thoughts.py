"""Thoughts know what stands before them, and nothing that comes later."""

import json

import pytest

from gem_tasks.checks import run_checks, thoughts
from gem_tasks.domain.finding import Severity
from tests.factories import call, make_tool, make_trajectory, result, say

ORDER = {
    "order_id": "SO-7741", "customer_name": "Fabrikam Stone", "status": "backordered", "total": 1249.5,
    "ship_date": "2026-09-16", "contact_email": "ida@fabrikam.example", "bin": "B7", "block": "CREDIT_HOLD",
}  # fmt: skip
TOOLS = (
    make_tool("find_orders", status={"type": "string", "enum": ["open", "on hold"]}),
    make_tool("release_order", order_id={"type": "string"}, note={"type": "string"}),
)


def conversation(
    first=None, second=None, third=None, user="Where is the order of last Tuesday? It was 3 slabs at 400."
):
    """Three turns of the assistant, each with the thought that is given."""
    messages = [
        say("system", "Today is Monday, 7 September 2026. Orders over 5,000 need a manager."),
        say("user", user),
        call(1, "find_orders", status="open"),
        result(1, json.dumps({"orders": [ORDER]})),
        say("assistant", "It is SO-7741. Release it?"),
        say("user", "Yes, and write Marta Nowak as the reason."),
        call(2, "release_order", order_id="SO-7741", note="REL-900 for Marta Nowak"),
        result(2, '{"ok": true, "release_code": "REL-900", "queue": "RQ-5512"}'),
        say("assistant", "Released."),
    ]
    for at, thought in ((2, first), (4, second), (6, third)):
        messages[at] = messages[at].model_copy(update={"reasoning": thought})
    return make_trajectory(*messages, tools=TOOLS)


def found(*told, **more):
    return [
        (finding.kind, finding.message_index)
        for finding in run_checks(conversation(*told, **more))
        if finding.check == "thoughts"
    ]


@pytest.mark.parametrize(
    ("thought", "kind"),
    [
        ("It is SO-7741, I'll confirm that.", "future_id"),
        ("so-7741 again.", "future_id"),
        ("Perhaps number 7741, I'll look.", "future"),
        ("I can write to ida@fabrikam.example once I have looked.", "future_id"),
        ("It will be blocked by CREDIT_HOLD.", "future_id"),
        ("The slabs lie in B7.", "future_id"),
        ("They owe 1,249.50 for it.", "future"),
        ("It ships on 16 September, I think.", "future"),
        ("It ships on 2026-09-16.", "future"),
        ("Fabrikam Stone ordered it.", "future"),
        ("The order is still backordered, so I look why.", "future"),
        ("They will want Marta Nowak as the reason.", "future"),
        ("The plan says that the user is terse.", "prompt_talk"),
        ("As the writer I need an error here.", "prompt_talk"),
        ("The next user turn will bring the site.", "prompt_talk"),
    ],
)
def test_a_thought_that_knows_the_future_or_its_making_is_found_where_it_stands(thought, kind):
    assert found(thought) == [(kind, 2)]


@pytest.mark.parametrize(
    "thought",
    [
        "They want the order of last Tuesday, which was 1 September. I'll list the open ones.",
        "3 slabs at 400 make 1200, under the 5,000 that a manager has to see.",
        "It may be backordered or on hold; I look first.",
        "If it is backordered, I tell them so.",
        "Perhaps it is order SO-1000.",
        "A 2-step job: the 1st is to find it, 24/7 support is no topic.",
        "On Friday, 11 September, it could still arrive.",
        "Step 1: find. I'd expect 250 in tax, or 10%.",
    ],
)
def test_intentions_guesses_and_what_follows_from_the_turns_before_pass(thought):
    assert found(thought) == []


def test_what_results_have_brought_is_known_and_a_leak_is_reported_once():
    assert found("I look.", "SO-7741 of Fabrikam Stone is backordered: 1,249.50, due 16 September.") == []
    assert found("SO-7741.", "SO-7741, as I thought.") == [("future_id", 2)]


def test_what_the_assistant_names_itself_is_its_own_choice_though_the_result_repeats_it():
    assert found(None, "I'll release it under REL-900.") == []
    assert found(None, None, "I'll note REL-900.") == []
    assert found(None, None, "It will be RQ-5512.") == [("future_id", 6)]


def test_a_plan_or_text_of_the_conversation_itself_may_be_thought_of():
    assert found("The plan says monthly.", user="My payment plan, please. The text of it says what?") == []
    assert found("The text says monthly.", user="My payment plan, please. The text of it says what?") == []


def test_all_findings_are_open_and_conversations_without_thoughts_have_none():
    leaking = run_checks(conversation("It is SO-7741, due 2026-09-16. The prompt says so."))
    assert {each.severity for each in leaking if each.check == "thoughts"} == {Severity.OPEN}
    assert found() == []


def test_tokens_of_templates_in_a_thought_are_errors():
    kinds = {(each.check, each.kind, each.severity) for each in run_checks(conversation("Well </think> then"))}
    assert ("leak", "token", Severity.ERROR) in kinds


def test_what_is_looked_for_has_a_bound(monkeypatch):
    monkeypatch.setattr(thoughts, "_MOST_READ", 2)
    assert found("AB-1 and AB-2 and SO-7741.") == []
    assert found("AB-1 and SO-7741.") == [("future_id", 2)]
    monkeypatch.setattr(thoughts, "_MOST_SEARCHED", 1)
    assert found("AB-1 and SO-7741.") == []
