"""The judge's answer: rules, open findings, quotes, and the keep rule."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gem_tasks import prompts
from gem_tasks.domain.finding import Finding, Severity
from gem_tasks.domain.judgement import RULES, Judgement
from gem_tasks.domain.outcome import Accepted, Malformed, Rejected
from gem_tasks.prompts.tags import TagError
from gem_tasks.stages import stage
from gem_tasks.stages.judge import parse_judgement, render_open
from tests.factories import make_record

OPEN = (
    Finding(check="grounding", severity=Severity.OPEN, detail="'soon' was not said", message_index=4, kind="words"),
    Finding(check="fidelity", severity=Severity.OPEN, detail="30 is not in the text", kind="number"),
)
MATERIAL = ("The loan was renewed twice.", "Loans are renewed at most twice.")


def answer(*broken, findings=(), quote="", reason="message 4", **changes):
    """An answer in which these rules are broken."""
    rules = [
        {"rule": rule, "pass": int(rule not in broken), "quote": quote if rule in broken else "",
         "reason": reason if rule in broken else ""}
        for rule in RULES
    ]  # fmt: skip
    return json.dumps({"rules": rules, "findings": list(findings), **changes})


def settled(number, fault, quote=""):
    return {"number": number, "fault": fault, "quote": quote, "reason": "because" if fault else ""}


def judged(text, findings=()):
    return parse_judgement(text, findings, MATERIAL)


@pytest.mark.parametrize("rule", RULES)
def test_any_broken_rule_rejects_with_its_quote(rule):
    verdict = stage("validate").parse(answer(rule, quote="no such words"), make_record())
    assert isinstance(verdict, Rejected)
    assert verdict.reason == f"judge_{rule.lower()}"
    assert verdict.detail == 'message 4 — "no such words" (not found in the conversation)'


def test_all_rules_kept_accept():
    verdict = stage("validate").parse(answer(), make_record())
    assert isinstance(verdict, Accepted)
    assert Judgement.model_validate_json(verdict.payload).kept


@pytest.mark.parametrize(
    "form", ["Here is my assessment:\n\n```json\n{}\n```\n\nTell me if you need more.", "{}\nThat is all.", "So: {}"]
)
def test_a_verdict_amid_prose_is_read(form):
    assert isinstance(stage("validate").parse(form.replace("{}", answer()), make_record()), Accepted)
    broken = stage("validate").parse(form.replace("{}", '{"rules": [}'), make_record())
    assert isinstance(broken, Malformed)


def test_what_is_accepted_says_where_its_rules_come_from():
    record = make_record()
    measures = stage("validate").parse(answer(), record).measures
    assert measures["values"] > measures["open_values"] >= 0
    spans = measures["spans"]
    assert spans
    for start, end in spans.values():
        assert record.segment.text[start:end].strip()


def test_an_open_finding_that_is_a_fault_rejects():
    judgement = judged(answer(findings=[settled(2, 1), settled(1, 0)]), OPEN)
    assert not judgement.kept
    assert list(judgement.faults) == ["judge_open_fidelity"]
    assert [each.finding for each in judgement.findings] == list(OPEN)


def test_a_rule_comes_before_a_finding():
    judgement = judged(answer("R4", findings=[settled(1, 1), settled(2, 0)]), OPEN)
    assert list(judgement.faults) == ["judge_r4", "judge_open_grounding"]


@pytest.mark.parametrize(
    ("quote", "found"),
    [("renewed at most twice", True), ('"Renewed  at\\nmost TWICE…', True), ("renewed thrice", False), ("", False)],
)
def test_quotes_are_looked_up(quote, found):
    assert judged(answer("R3", quote=quote)).rules["R3"].quoted is found


@pytest.mark.parametrize(
    "text",
    ["[1, 1, 1]", "fine", "{}", '{"rules": []}', answer().replace('"pass": 1', '"pass": 2', 1),
     answer().replace("R5", "R6"), answer().replace('"R2"', '"R1"'), answer(findings=[settled(1, 0)]),
     answer(rules="all"), '{"R1": 1, "R2": 1, "R3": 1}'],
)  # fmt: skip
def test_an_unreadable_verdict_is_neither_yes_nor_no(text):
    verdict = stage("validate").parse(text, make_record())
    assert isinstance(verdict, Malformed)
    assert verdict.complaint


@pytest.mark.parametrize("numbers", [(), (1,), (1, 1), (1, 3)])
def test_every_open_finding_needs_one_verdict(numbers):
    with pytest.raises(TagError, match="each of the 2 open findings"):
        judged(answer(findings=[settled(number, 0) for number in numbers]), OPEN)


def test_more_keys_than_asked_for_do_no_harm():
    assert judged(answer(overall="good")).kept


@given(st.text() | st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists).map(json.dumps))
def test_nothing_that_a_model_writes_raises(text):
    assert isinstance(stage("validate").parse(text, make_record()), Malformed)


def test_open_findings_are_numbered_lines():
    assert render_open(OPEN) == (
        "1. message 4, grounding (words): 'soon' was not said\n2. fidelity (number): 30 is not in the text"
    )
    assert render_open(()) == "none"


def test_the_judge_sees_findings_and_text():
    body = stage("validate").request(make_record(), prompts.load("validate"))[1].content
    assert list(body.split("\n# ")[index].splitlines()[0].strip("# ") for index in range(4)) == [
        "Tools", "Trajectory", "Open findings", "Text"
    ]  # fmt: skip


def test_the_judge_sees_the_numbers_that_findings_speak_of():
    record = make_record()
    body = stage("validate").request(record, prompts.load("validate"))[1].content
    for index, message in enumerate(record.outputs["refine"].messages):
        assert f'<{message.role} number="{index}">' in body
