"""Conversations that cost too much are refused with the reason, and what many values are compared with is read once."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gem_tasks.checks import MOST_FINDINGS, complexity, confirmation, run_checks
from gem_tasks.checks.reading.arguments import leaves, resolved
from gem_tasks.checks.reading.case import Case, Evidence
from gem_tasks.checks.reading.kinds import Kinds
from gem_tasks.checks.reading.numbers import Quantities
from gem_tasks.checks.reading.said import Said, Utterance, _contains
from gem_tasks.checks.reading.source import source
from gem_tasks.checks.realism import facts
from gem_tasks.live_apis import match
from tests.factories import call, make_record, make_tool, make_trajectory, result, say
from tests.patterns.shapes import SHAPES

WORKFLOW = make_record().outputs["extract"].workflows[0]


def conversation(*, messages=1, values=0, calls=1, tools=1):
    asked = [call(at, "get_loan", **{f"v{value}": value for value in range(values)}) for at in range(calls)]
    said = [say("user", "w" * 100)] * messages
    return make_trajectory(*said, *asked, tools=tuple(make_tool(f"get_{at}") for at in range(tools)))


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (conversation(messages=2000), "2,001 messages; the checks read 2,000 at most"),
        (conversation(calls=1001), "1,001 calls; the checks read 1,000 at most"),
        (conversation(values=2001), "2,001 values in arguments; the checks read 2,000 at most"),
        (conversation(tools=501), "501 tools; the checks read 500 at most"),
        (
            conversation(messages=1900, values=1900),
            "361,190,000 characters times values and tools; the checks read 200,000,000 at most",
        ),
        (make_trajectory(say("user", "w" * 4_000_001)), "4,000,001 characters; the checks read 4,000,000 at most"),
    ],
)
def test_a_conversation_that_costs_too_much_is_refused_with_its_reason_alone(made, reason):
    (found,) = run_checks(made)
    assert (found.check, found.kind, found.severity, found.detail) == ("complexity", "too_much", "error", reason)


def test_so_is_a_workflow_of_too_many_steps():
    long = WORKFLOW.model_copy(update={"steps": ("Renew it.",) * 501})
    evidence = Evidence("Text.", make_record().outputs["extract"].model_copy(update={"workflows": (long,)}))
    (found,) = run_checks(make_trajectory(), evidence)
    assert found.detail == "501 steps of the workflow; the checks read 500 at most"


def test_what_people_would_read_is_not_too_much():
    made = conversation(messages=200, calls=100, values=5, tools=50)
    assert list(complexity.excess(Case(made))) == []


def test_findings_without_end_are_cut_and_told():
    *kept, last = run_checks(*SHAPES["identifiers"](31_000))
    assert len(kept) == MOST_FINDINGS
    assert (last.kind, last.detail) == ("too_much", "grounding has 1,000 findings, and perhaps more")


def test_a_user_s_turn_is_read_once_for_all_deeds(monkeypatch):
    read, stems = [], confirmation.content_stems
    monkeypatch.setattr(confirmation, "content_stems", lambda text: read.append(text) or stems(text))
    list(confirmation.check(Case(SHAPES["deletions"](20_000)[0])))
    assert len(read) <= 4 * (20_000 // 120)


def test_a_long_word_is_read_once():
    class Counting(str):
        found = 0

        def find(self, *place):
            Counting.found += 1
            return super().find(*place)

    assert not _contains(Counting("a" * 5000), "aa")
    assert Counting.found == 2
    assert _contains("baa aab aa", "aa") and not _contains("baa aab", "aa") and _contains("x-a -a.", "-a.")


def test_numbers_are_put_in_order_once(monkeypatch):
    ordered = []
    monkeypatch.setattr(
        "gem_tasks.checks.reading.numbers.sorted", lambda each: ordered.append(1) or sorted(each), raising=False
    )
    said = Said([Utterance("It is " + " ".join(f"{number}.37" for number in range(1000)))])
    assert [said.numbers().has_near(number) for number in (99.37, 99.374, 99.5, math.inf)] == [True, True, False, False]
    assert len(ordered) == 1
    said.add(Utterance("and 99.49"))
    assert said.numbers().has_near(99.491)


@given(st.sets(st.floats(-1000, 1000)), st.floats(-1000, 1000), st.floats(-0.2, 0.2))
def test_a_number_is_near_another_as_if_all_were_compared(said, value, away):
    broken = [each for each in said if not each.is_integer()]
    for number in (value, *(each + away for each in broken)):
        near = any(math.isclose(number, each, rel_tol=1e-4, abs_tol=0.005) for each in broken)
        assert Quantities(said).has_near(number) == near


def test_a_list_has_its_branches_merged_once(monkeypatch):
    merged = []
    monkeypatch.setattr(
        "gem_tasks.checks.reading.arguments.resolved", lambda *each: merged.append(1) or resolved(*each)
    )
    branches = {"anyOf": [{"enum": ["a"], "title": "A"}, {"enum": ["b"], "title": "B"}], "enum": ["c"]}
    schema = {"properties": {"kinds": {"type": "array", "items": branches}}}
    found = list(leaves({"kinds": ["a", "b", "x"]}, schema))
    assert [leaf.settled for leaf in found] == [True, True, False]
    assert (found[0].schema["enum"], found[0].schema["title"], len(merged)) == (["c", "a", "b"], "A", 1)


def test_a_row_that_lists_very_many_identifiers_links_few():
    row = {"loan_id": "L-1", "item_ids": [f"I-{number}" for number in range(1000)]}
    case = Case(make_trajectory(say("user"), call(1, "get_loan", loan_id="L-1"), result(1, json.dumps(row))))
    world = facts._World(case)
    linked = facts._near("L-1", 0, world)
    assert len(linked) == facts._MOST_LINKED and "I-1" in linked


def test_a_value_under_very_many_fields_is_known_by_some():
    kinds = Kinds(Case(make_trajectory()))
    kinds.hear(tuple((f"$[{at}]", {f"kind{at}_id": "K-1"}) for at in range(1000)), "get_loan")
    assert len(kinds.fields["k-1"]) == 40
    assert kinds.offered("kind1_id") and not kinds.offered("other_id")


def test_a_rule_that_the_text_repeats_is_compared_with_all_its_places():
    text = "Take 1 of the red apples. " * 3 + "Take 2 of the red apples."
    assert source(text).misquoted("Take 2 of the red apples") is None
    assert source(text).misquoted("Take 3 of the red apples") == ("3", "2")


def test_parameters_without_end_are_not_all_paired(monkeypatch):
    compared, dice = [], match.dice
    monkeypatch.setattr(match, "dice", lambda *words: compared.append(1) or dice(*words))
    names = {f"field{number}_name": {} for number in range(400)}
    pairs = match._pairs(names, names)
    assert len(compared) <= 200 * 200
    assert pairs["field7_name"] == "field7_name"
