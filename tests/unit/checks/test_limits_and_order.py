"""Limits of the extraction's schemas against the refined tools, and the limits that the calls keep to."""

import pytest

from gem_tasks.checks import run_checks
from gem_tasks.checks.reading.case import Evidence
from gem_tasks.domain.workflow import ExecutionGraph, Extraction, Requirement, Workflow
from tests.factories import call, make_tool, make_trajectory, result, say


def sheet(**limits):
    return make_tool("cut_sheet", sheet_id={"type": "string"}, width={"type": "integer", **limits})


def conversation(tool, width=60, answer='{"ok": true}'):
    return make_trajectory(
        say("system", "Sheets are cut to size."),
        say("user", f"Cut sheet S-1 to {width}, please."),
        call(1, "cut_sheet", sheet_id="S-1", width=width),
        result(1, answer),
        say("assistant", "Cut."),
        tools=(tool,),
    )


def findings(trajectory, *tools, requires=()):
    workflow = Workflow(
        description="Cutting sheets.", steps=("Measure the sheet.", "Cut the sheet."), tools=tools, requires=requires,
        execution_graph=ExecutionGraph.parse("(cut_sheet)"),
    )  # fmt: skip
    evidence = Evidence(None, Extraction(workflows=(workflow,)))
    return [
        (finding.kind, finding.message_index, finding.detail)
        for finding in run_checks(trajectory, evidence)
        if finding.check == "policy"
    ]


@pytest.mark.parametrize(
    ("before", "now", "kind", "said"),
    [
        ({"maximum": 60}, {"maximum": 70}, "limit_altered", "maximum 60 of the extraction became 70"),
        ({"minimum": 5}, {"minimum": 4}, "limit_altered", "minimum 5 of the extraction became 4"),
        ({"multipleOf": 5}, {"multipleOf": 3}, "limit_altered", "multipleOf 5 of the extraction became 3"),
        ({"enum": [50, 60]}, {"enum": [60, 70]}, "limit_altered", "of the extraction became"),
        ({"maximum": 60}, {}, "limit_dropped", "cut_sheet.width: maximum 60 of the extraction is gone"),
    ],
)
def test_a_limit_that_the_refined_tool_has_lost_or_loosened_is_for_the_judge(before, now, kind, said):
    ((found, _, detail),) = findings(conversation(sheet(**now)), sheet(**before))
    assert (found, said in detail) == (kind, True)


@pytest.mark.parametrize(
    ("before", "now"),
    [
        ({"maximum": 70}, {"maximum": 60}),
        ({"minimum": 4}, {"minimum": 5}),
        ({"enum": [50, 60]}, {"enum": [60]}),
        ({}, {"maximum": 60}),
        ({"maximum": 60, "description": "cm"}, {"maximum": 60, "description": "centimetres"}),
    ],
)
def test_a_tighter_or_a_new_limit_is_none(before, now):
    assert findings(conversation(sheet(**now)), sheet(**before)) == []


def test_a_call_that_succeeds_beyond_the_extracted_limit_is_found_at_its_place():
    kinds = {(kind, index) for kind, index, _ in findings(conversation(sheet(), 74), sheet(maximum=60))}
    assert kinds == {("limit_dropped", None), ("limit", 2)}


def test_a_call_that_failed_kept_to_the_limit():
    found = findings(conversation(sheet(), 74, '{"error": "too wide"}'), sheet(maximum=60))
    assert [kind for kind, _, _ in found] == ["limit_dropped"]


MEASURE = make_tool("measure_sheet", sheet_id={"type": "string"})
NEEDS = (Requirement(tool="cut_sheet", after="measure_sheet"),)


def two_calls(first, second, third=None):
    calls = [say("system", "Sheets are cut to size."), say("user", "Cut sheet S-1 to 60, please.")]
    for number, (name, sheet_id) in enumerate(filter(None, (first, second, third)), start=1):
        width = {"width": 60} if name == "cut_sheet" else {}
        calls += [call(number, name, sheet_id=sheet_id, **width), result(number), say("assistant"), say("user")]
    return make_trajectory(*calls[:-1], tools=(sheet(), MEASURE))


@pytest.mark.parametrize(
    ("calls", "place"),
    [
        ((("cut_sheet", "S-1"), ("measure_sheet", "S-1")), 2),
        ((("cut_sheet", "S-1"), ("measure_sheet", "S-2")), None),
        ((("measure_sheet", "S-1"), ("cut_sheet", "S-1")), None),
        ((("cut_sheet", "S-2"), ("cut_sheet", "S-1"), ("measure_sheet", "S-1")), 6),
    ],
    ids=["too early", "for another sheet", "in order", "the second is too early"],
)
def test_what_has_to_come_first_comes_first_for_the_same_thing(calls, place):
    found = findings(two_calls(*calls), sheet(), MEASURE, requires=NEEDS)
    assert [(kind, index) for kind, index, _ in found] == ([("order", place)] if place else [])
    if place:
        assert '(step: "Measure the sheet.")' in found[0][2]
