"""The stage `world`: what is sent, what is read, and what is said about a malformed answer."""

import json

import pytest

from gem_tasks.domain.outcome import Accepted, Malformed, Rejected
from gem_tasks.domain.workflow import Extraction
from gem_tasks.plans.world_style import draw_style, shipped_worlds
from gem_tasks.prompts import load, sections
from gem_tasks.prompts.contract import LARGEST_BYTES
from gem_tasks.stages import stage
from gem_tasks.worlds.built import Built
from tests.factories import TEXT, make_record, make_tool
from tests.library_world import CODE, IDS, RULES, RUN, STATE, answer

WORLD = stage("world")


def read(text):
    return Built.model_validate_json(WORLD.parse(text, make_record()).payload)


def test_tools_workflow_style_and_text_are_sent_and_the_prompt_asks_for_every_part():
    system, user = WORLD.request(make_record(), load("world"))
    assert list(sections(user.content)) == ["tools", "workflow", "style", "text"]
    style = draw_style(shipped_worlds(), make_record().segment.segment_id)
    assert sections(user.content)["style"] == style.text
    assert system.content == load("world").text
    assert "2026" not in system.content
    assert sections(user.content)["text"] == TEXT
    assert all(tag in system.content for tag in WORLD.asks_for)
    assert len(system.content.encode()) < LARGEST_BYTES


def test_an_answer_becomes_a_world_over_the_tools_of_the_workflow():
    built = read(f"<think>Loans.</think>{answer()}")
    world = built.world
    assert (world.state, world.code, {name: each.model_dump() for name, each in world.ids.items()}) == (
        STATE,
        CODE,
        IDS,
    )
    assert [(tool.name, tool.reads) for tool in world.tools] == [("get_loan", True), ("renew_loan", False)]
    assert world.tools[1].parameters["properties"]["weeks"] == {"type": "integer"}
    assert [call.model_dump(exclude={"kind"}) for call in built.run] == RUN
    assert isinstance(verdict := WORLD.parse(answer(), make_record()), Accepted)
    assert verdict.measures == {"world": built.world_id, "tables": 2, "rules": 2}


def test_a_quotation_has_its_place_in_the_text_whatever_its_markup_and_an_invented_rule_has_none():
    kept, invented = read(answer()).rules
    assert (TEXT[slice(*kept.span)], kept.tools) == ("Renew it, at most twice", ("renew_loan",))
    assert (invented.quote, invented.span, invented.tools) == (None, None, ("renew_loan",))


def test_a_quotation_that_the_text_does_not_have_belongs_to_an_invented_rule_and_many_are_a_complaint():
    false = {"text": "Never on Sundays.", "quote": "The library is closed on Sundays", "tools": []}
    assert read(answer(rules=json.dumps([*RULES, false]))).rules[-1].quote is None
    verdict = WORLD.parse(answer(rules=json.dumps([*RULES, false, false])), make_record())
    assert "2 quotations are not in Text, among them 'The library is closed" in verdict.complaint


@pytest.mark.parametrize("fence", ["```js\n", "```javascript\n", "```\n"])
def test_code_in_a_fence_is_code(fence):
    assert read(answer(code=f"{fence}{CODE}\n```")).world.code == CODE


def test_an_answer_without_a_run_is_read():
    assert read(answer(run="")).run == ()


@pytest.mark.parametrize(
    ("parts", "complaint"),
    [
        ({"state": ""}, "expected <state>…</state> exactly once"),
        ({"state": "[]"}, "<state> must be a JSON object of tables"),
        ({"state": '{"now": "2026-03-12T09:00:00Z", "loans": {}}'}, "<state> has no table"),
        ({"state": '{"loans": {"a": {}}}'}, '<state> needs "now"'),
        ({"state": '{"now": "today", "loans": {"a": {}}}'}, '<state> needs "now"'),
        ({"state": '{"loans": {,}}'}, "<state> is not valid JSON"),
        ({"state": '{"now": "2026-03-12T09:00:00Z", "loans": {"a": {"x": NaN}}}'}, "NaN is not JSON"),
        ({"code": "\n"}, "<code> is empty"),
        ({"code": "x" * (257 << 10)}, "code: String should have at most"),
        ({"reads": '["burn_loan"]'}, "<reads> names tools that do not exist: burn_loan"),
        ({"reads": "{}"}, "<reads>: Input should be a valid list"),
        ({"rules": '[{"quote": "twice"}]'}, "<rules>: 0.text: Field required"),
        ({"ids": '{"renewal": {"format": "R", "next": 1}}'}, "<ids>: renewal.format"),
        ({"ids": '{"renewal": {"format": "R{n}", "next": -1}}'}, "<ids>: renewal.next"),
        ({"run": '[{"name": "burn_loan", "arguments": {}}]'}, "<run> calls tools that do not exist: burn_loan"),
        ({"run": json.dumps(RUN * 51)}, "<run> has 102 calls; up to 100"),
        ({"run": '[{"name": "get_loan"}]'}, "<run>: 0.arguments: Field required"),
    ],
)
def test_a_malformed_answer_has_a_precise_complaint(parts, complaint):
    verdict = WORLD.parse(answer(**parts), make_record())
    assert complaint in verdict.complaint
    assert len(verdict.complaint) < 400


def test_an_answer_nested_too_deeply_is_malformed():
    deep = "[" * 900 + "]" * 900
    verdict = WORLD.parse(answer(run=f'[{{"name": "get_loan", "arguments": {{"id": {deep}}}}}]'), make_record())
    assert isinstance(verdict, Malformed)


def test_tools_whose_functions_would_have_one_name_cost_no_request():
    record = make_record()
    workflow = record.output("extract", Extraction).workflows[0]

    def checked(*names):
        odd = workflow.model_copy(update={"tools": tuple(map(make_tool, names))})
        return WORLD.precheck(record.with_output("extract", Extraction(workflows=(odd,))))

    told = "the tools get-loan and get_loan would both be the function get_loan"
    assert checked("get-loan", "get_loan") == Rejected(reason="tool_name", detail=told)
    assert checked("get-loan", "delete", "7th") is None
