"""Stages read strict answers, name what is wrong, and never raise on model output."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gem_tasks import prompts
from gem_tasks.domain.outcome import Accepted, Malformed, Rejected
from gem_tasks.domain.record import Topic
from gem_tasks.domain.stage import STAGE_NAMES
from gem_tasks.domain.trajectory import Draft
from gem_tasks.domain.workflow import ExecutionGraph, Extraction
from gem_tasks.plans import draw, render, shipped
from gem_tasks.prompts.dialogue import render_tools, render_trajectory
from gem_tasks.stages import STAGES, stage, vocabulary
from tests.factories import TOOLS, make_draft, make_record, make_trajectory, say

TOPIC = """<multi_step>True</multi_step><summary>A reader renews a loan.</summary><platform>operator</platform>
<domain>books_and_literature, jobs_and_education</domain><task>customer_support</task>"""

WORKFLOW = f"""<workflow><description>d</description><steps>
1. Find it.
2. Renew it.
</steps><execution_graph>(get_loan)->(renew_loan)</execution_graph>
<actions>[{{"name": "get_loan", "arguments": {{"loan_id": "L-7"}}}}]</actions>
<tools>{render_tools(TOOLS)}</tools>
<requires>[{{"tool": "renew_loan", "after": "get_loan"}}]</requires></workflow>"""


def parse(name, text, **stages):
    return stage(name).parse(text, make_record(**stages))


def test_names_stages_and_prompts_are_the_same_list():
    assert tuple(item.name for item in STAGES) == STAGE_NAMES
    for item in STAGES:
        assert prompts.load(item.prompt).text


def test_the_prompt_lists_exactly_the_vocabulary():
    text = prompts.load("filter").text
    for words in (vocabulary.DOMAINS, vocabulary.TASK_CATEGORIES, vocabulary.PLATFORMS, vocabulary.REJECTIONS):
        assert all(word in text for word in words)
    assert (len(vocabulary.PLATFORMS), len(vocabulary.DOMAINS), len(vocabulary.TASK_CATEGORIES)) == (5, 26, 38)


@pytest.mark.parametrize("item", STAGES, ids=lambda item: item.name)
@given(text=st.text() | st.sampled_from([TOPIC, WORKFLOW]).map(lambda text: text[: len(text) // 2]))
def test_no_answer_makes_a_stage_raise(item, text):
    assert isinstance(item.parse(text, make_record()), Accepted | Rejected | Malformed)


@pytest.mark.parametrize("item", STAGES, ids=lambda item: item.name)
def test_instructions_come_first_and_are_the_same_for_every_record(item):
    own = prompts.Prompt(name=item.name, text="My own instructions.")
    system, user = item.request(make_record(), own)
    assert system.content == own.text
    assert user.role == "user"


def test_filter_reads_the_papers_tags():
    verdict = parse("filter", TOPIC)
    assert isinstance(verdict, Accepted)
    topic = Topic.model_validate_json(verdict.payload)
    assert topic.domains == ("books_and_literature", "jobs_and_education")


def test_filter_rejects_with_the_models_reason():
    answer = "<multi_step>False</multi_step><reason>not_procedural</reason>"
    assert parse("filter", answer) == Rejected(reason="not_procedural")


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("operator", "counter", "is not one of"),
        ("customer_support", "everything", "is not one of"),
        (">True<", ">Maybe<", "must be True or False"),
        ("<summary>A reader renews a loan.</summary>", "", "exactly once"),
    ],
)
def test_filter_answers_outside_the_vocabulary_are_malformed(old, new, complaint):
    verdict = parse("filter", TOPIC.replace(old, new))
    assert isinstance(verdict, Malformed)
    assert complaint in verdict.complaint


def test_extract_reads_a_workflow():
    verdict = parse("extract", WORKFLOW)
    assert isinstance(verdict, Accepted), verdict
    (workflow,) = Extraction.model_validate_json(verdict.payload).workflows
    assert workflow.steps == ("Find it.", "Renew it.")
    assert str(workflow.execution_graph) == "(get_loan)->(renew_loan)"
    assert workflow.requires[0].after == "get_loan"


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("->(renew_loan)", "->(burn_loan)", "does not define: burn_loan"),
        ("->(renew_loan)", "", "does not use these tools: renew_loan"),
        ("->(renew_loan)", "->renew_loan", "expected (tool)"),
        ('"after": "get_loan"', '"after": "get_book"', "does not define: get_book"),
        ('"L-7"', "7", "wrong type"),
        ('"type": "integer"', '"type": "number of weeks"', "no valid JSON Schema"),
        ("<steps>", "<stages>", "steps"),
    ],
)
def test_an_extraction_that_contradicts_itself_is_malformed(old, new, complaint):
    verdict = parse("extract", WORKFLOW.replace(old, new))
    assert isinstance(verdict, Malformed)
    assert complaint in verdict.complaint


def test_an_execution_graph_keeps_order_and_parallel_calls():
    graph = ExecutionGraph.parse("(a) -> (b, c)\n→ (d)")
    assert graph.nodes == (("a",), ("b", "c"), ("d",))


def test_generate_uses_the_tools_that_were_given():
    trajectory = make_trajectory()
    verdict = parse("generate", render_trajectory(trajectory.messages))
    assert verdict == Accepted.of(make_draft())
    assert make_draft().conversation == trajectory


def test_a_plan_is_told_kept_with_the_draft_and_told_again_at_its_refinement():
    plan = draw(shipped(), "a text")
    record = make_record().model_copy(update={"plan": plan})
    asked = prompts.sections(stage("generate").request(record, prompts.load("generate"))[1].content)
    assert asked["plan"] == render(plan, draft=True)
    assert list(asked)[-1] == "text"
    verdict = stage("generate").parse(render_trajectory(make_trajectory().messages), record)
    draft = Draft.model_validate_json(verdict.payload)
    assert draft.plan == plan
    asked = prompts.sections(stage("refine").request(make_record(generate=draft), prompts.load("refine"))[1].content)
    assert asked["plan"] == render(plan)


def test_a_draft_from_before_plans_is_refined_without_one():
    draft = Draft.model_validate_json(make_trajectory().model_dump_json())
    asked = stage("refine").request(make_record(generate=draft), prompts.load("refine"))
    assert list(prompts.sections(asked[1].content)) == ["tools", "trajectory", "text"]


def test_refine_brings_its_own_tools():
    trajectory = make_trajectory()
    answer = f"<toolsets>{render_tools(TOOLS)}</toolsets>\n{render_trajectory(trajectory.messages)}"
    assert parse("refine", answer) == Accepted.of(trajectory)


def test_no_judge_is_asked_about_what_the_checks_refuse():
    broken = make_trajectory(*make_trajectory().messages, say("assistant", "once more"))
    rejected = stage("validate").precheck(make_record(refine=broken))
    assert rejected is not None
    assert rejected.reason == "check_structure"
    assert stage("validate").precheck(make_record()) is None
