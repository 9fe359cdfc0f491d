"""A refined conversation keeps the draft's facts, has more of everything, and stays legal and grounded."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gem_tasks.checks import run_checks
from gem_tasks.domain.trajectory import Trajectory
from gem_tasks.prompts.dialogue import parse_trajectory, render_tools, render_trajectory
from offline_teacher import generate, refine
from teacher_cases import TEXT, TOOLS, refined, sections, troubling, ungrounded
from tests.factories import call, make_trajectory, result, say

SEEDS = range(40)


def drafted(seed) -> Trajectory:
    return parse_trajectory(generate.answer(sections(), seed), TOOLS)


def answered(draft: Trajectory, seed, text=TEXT) -> str:
    asked = {"tools": render_tools(draft.tools), "trajectory": render_trajectory(draft.messages), "text": text}
    return refine.answer(asked, seed)


def texts(trajectory, role):
    return [message.content or "" for message in trajectory.messages if message.role == role]


@pytest.mark.parametrize("seed", SEEDS)
def test_every_refined_conversation_passes_the_deterministic_checks(seed):
    assert troubling(refined(answered(drafted(seed), seed + 1))) == []


@pytest.mark.parametrize("seed", SEEDS)
def test_every_argument_was_said_or_returned_before(seed):
    assert ungrounded(refined(answered(drafted(seed), seed + 1))) == []


@pytest.mark.parametrize("seed", SEEDS)
def test_there_is_more_of_everything(seed):
    draft = drafted(seed)
    richer = refined(answered(draft, seed))
    assert richer.size.messages >= draft.size.messages + 10
    assert richer.size.calls >= draft.size.calls + 5
    assert richer.size.tools >= draft.size.tools + 3
    assert richer.tools[: len(draft.tools)] == draft.tools


@pytest.mark.parametrize("seed", SEEDS)
def test_the_drafts_calls_and_the_fields_of_its_results_are_kept(seed):
    draft, richer = drafted(seed), refined(answered(drafted(seed), seed))
    before = [call for message in draft.messages for call in message.tool_calls]
    after = [call for message in richer.messages for call in message.tool_calls]
    assert [(call.name, call.arguments) for call in after[: len(before)]] == [
        (call.name, call.arguments) for call in before
    ]
    for old, new in zip(texts(draft, "tool"), texts(richer, "tool"), strict=False):
        kept = json.loads(new)
        assert {name: kept[name] for name in json.loads(old) if not isinstance(kept[name], list)} == {
            name: value for name, value in json.loads(old).items() if not isinstance(value, list)
        }


@pytest.mark.parametrize("seed", SEEDS)
def test_rules_keep_their_words_and_citations_their_rule(seed):
    draft, richer = drafted(seed), refined(answered(drafted(seed), seed))
    for line in draft.messages[0].content.splitlines():
        rule = line.partition(". ")[2]
        assert not line[:1].isdigit() or f". {rule}" in richer.messages[0].content
    for message in texts(richer, "assistant"):
        if ' says: "' in message:
            number = message.partition("Rule ")[2].partition(" ")[0]
            said = message.partition(' says: "')[2].partition('"')[0]
            assert f"{number}. {said}" in richer.messages[0].content


def test_the_system_turn_has_groups_and_a_schema_with_states():
    system = refined(answered(drafted(1), 1)).messages[0].content
    assert "Limits and amounts:" in system
    assert "# Data" in system
    assert "States of a loan:" in system


def test_one_added_tool_takes_nested_objects_and_is_used():
    calls = [
        call
        for seed in SEEDS
        for message in refined(answered(drafted(seed), seed)).messages
        for call in message.tool_calls
    ]
    assert any(isinstance(value, dict) for call in calls for value in call.arguments.values())


def test_two_records_that_look_alike_are_told_apart_by_asking():
    talks = ["\n".join(texts(refined(answered(drafted(seed), seed)), "assistant")) for seed in SEEDS]
    assert sum("Careful, two of them go by" in talk for talk in talks) > 3


def test_a_wish_for_more_than_a_list_returns_is_cut_to_what_the_rule_says():
    for seed in SEEDS:
        limits = [
            call.arguments["limit"]
            for message in refined(answered(drafted(seed), seed)).messages
            for call in message.tool_calls
            if "limit" in call.arguments
        ]
        assert limits
        assert max(limits) <= 50


def test_a_draft_of_another_origin_is_kept_and_extended():
    draft = make_trajectory()
    richer = refined(answered(draft, 3, "1. You must look at the loan first.\n2. Renew it."))
    assert run_checks(richer) == []
    assert ungrounded(richer) == []
    assert "Renewed once so far. Renew it for 2 weeks?" in texts(richer, "assistant")
    assert "You must look at the loan first." in richer.messages[0].content


@given(st.text(max_size=200), st.integers(0, 2**60))
@settings(max_examples=40, deadline=None)
def test_any_text_gives_an_answer_that_parses_and_passes(text, seed):
    assert (
        run_checks(refined(answered(make_trajectory(), seed, text + "\n1. You must </toolsets> never <user> this.")))
        == []
    )


@given(st.text(max_size=200))
@settings(max_examples=40, deadline=None)
def test_an_unreadable_draft_still_gives_a_conversation(draft):
    answer = refine.answer({"tools": render_tools(TOOLS), "trajectory": draft, "text": TEXT}, 1)
    assert run_checks(refined(answer)) == []


def test_tags_inside_tool_descriptions_stay_harmless():
    tools = (TOOLS[0].model_copy(update={"description": "</toolsets><trajectory><user>"}), *TOOLS[1:])
    draft = Trajectory(tools=tools, messages=drafted(1).messages)
    assert refined(answered(draft, 1)).tools[0].description == "</toolsets><trajectory><user>"


def test_a_truth_value_under_the_name_of_an_id_is_none():
    draft = make_trajectory(
        say("system", "Loans are renewed at most twice."),
        say("user", "Is loan L-7 free?"),
        call(1, "get_loan", loan_id="L-7"),
        result(1, '{"loan_id": false, "status": "open"}'),
        say("assistant", "It is not."),
    )
    assert len(refined(answered(draft, 3, "Look a loan up. Renew it.")).messages) > len(draft.messages)
