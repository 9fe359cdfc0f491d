"""Filter and extract in JSON: the same answers read by the same parsers, and schemas that are what they say."""

import json

import pytest
from jsonschema import Draft202012Validator

from gem_tasks.domain.request_options import RequestOptions, read_options
from gem_tasks.domain.stage import STAGE_NAMES
from gem_tasks.errors import UserError
from gem_tasks.pipeline.recipes import Chain
from gem_tasks.prompts import Prompt, load
from gem_tasks.settings import Settings
from gem_tasks.stages import stage
from gem_tasks.stages.json_form import EXTRACT, FILTER, InJson
from tests.factories import make_record

TOPIC = {
    "multi_step": True, "summary": "A clerk posts a corrected invoice.", "platform": "operator",
    "domain": ["finance", "business_and_industrial"], "task": "databases",
}  # fmt: skip
TAGGED_TOPIC = (
    "<multi_step>True</multi_step><summary>A clerk posts a corrected invoice.</summary><platform>operator</platform>"
    "<domain>finance, business_and_industrial</domain><task>databases</task>"
)
PARAMETERS = {
    "type": "object",
    "properties": {"of": {"type": "string", "description": "Not <user>."}},
    "required": ["of"],
}
TOOLS = [{"name": name, "description": f"{name} it.", "parameters": PARAMETERS} for name in ("find", "fix", "post")]
ACTIONS = [{"name": name, "arguments": {"of": "17"}} for name in ("find", "fix", "post")]
WORKFLOW = {
    "description": "Correct an invoice.", "steps": ["Find it.", "Fix it.", "Post it."],
    "execution_graph": [["find", "fix"], ["post"]], "actions": ACTIONS, "tools": TOOLS,
    "requires": [{"tool": "post", "after": "fix"}],
}  # fmt: skip
TAGGED_WORKFLOW = f"""<workflow>
<description>Correct an invoice.</description>
<steps>
1. Find it.
2. Fix it.
3. Post it.
</steps>
<execution_graph>(find, fix)->(post)</execution_graph>
<actions>{json.dumps(ACTIONS)}</actions>
<tools>{json.dumps(TOOLS)}</tools>
<requires>{json.dumps(WORKFLOW["requires"])}</requires>
</workflow>"""
NO = {"multi_step": False, "reason": "no_system"}
SAME = [
    ("filter", {"answer": TOPIC}, TAGGED_TOPIC),
    ("filter", TOPIC, TAGGED_TOPIC),
    ("filter", {"answer": NO},
     "<multi_step>False</multi_step><reason>no_system</reason>"),
    ("extract", {"workflow": [WORKFLOW]}, TAGGED_WORKFLOW),
    ("extract", {"workflow": [WORKFLOW, WORKFLOW]}, TAGGED_WORKFLOW * 2),
]  # fmt: skip


def read(name, text):
    return InJson(stage(name)).parse(text, make_record())


@pytest.mark.parametrize(("name", "answer", "tags"), SAME)
@pytest.mark.parametrize("form", ["{}", "```json\n{}\n```", "<think>{{</think>\n{}"])
def test_an_answer_in_json_is_read_as_the_same_answer_in_tags(name, answer, tags, form):
    said = stage(name).parse(tags, make_record())
    assert not hasattr(said, "complaint")
    assert read(name, form.format(json.dumps(answer, ensure_ascii=False))) == said
    assert read(name, tags) == said


def test_words_that_look_like_tags_stay_words():
    answer = TOPIC | {"summary": "It ends with </summary><platform>phone</platform>."}
    topic = json.loads(read("filter", json.dumps(answer)).payload)
    assert topic["platform"] == "operator"
    assert topic["summary"].endswith("&lt;platform&gt;phone&lt;/platform&gt;.")


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        ('{"answer": ', "the answer is not valid JSON"),
        ('{"answer": {"multi_step": true}}', "<domain>"),
        ('{"answer": {"multi_step": false, "reason": "dull"}}', "<reason> 'dull' is not one of"),
        ('{"workflow": ["x"]}', '"workflow" must be an object'),
        ('{"workflow": []}', "at least one <workflow>"),
        ("```[1]```", "one JSON object"),
        ("No.", "expected"),
    ],
)
def test_what_is_neither_is_sent_back_with_what_is_wrong(answer, complaint):
    name = "extract" if "workflow" in answer else "filter"
    assert complaint in read(name, answer).complaint


@pytest.mark.parametrize("value", [None, 7, "x", [], [[]], {"a": [None]}, [["x"], "y"]])
@pytest.mark.parametrize("key", list(WORKFLOW))
def test_a_field_of_another_type_is_a_complaint_and_never_an_error(key, value):
    read("extract", json.dumps({"workflow": [WORKFLOW | {key: value}]}))
    read("filter", json.dumps({"answer": TOPIC | {"domain": value}}))


@pytest.mark.parametrize(("schema", "good", "bad"), [
    (FILTER, {"answer": TOPIC}, {"answer": TOPIC | {"platform": "moon"}}),
    (FILTER, {"answer": NO}, {"answer": NO | {"multi_step": True}}),
    (EXTRACT, {"workflow": [WORKFLOW]}, {"workflow": []}),
])  # fmt: skip
def test_the_schemas_hold_a_model_to_what_the_parsers_read(schema, good, bad):
    Draft202012Validator.check_schema(schema)
    assert Draft202012Validator(schema).is_valid(good)
    assert not Draft202012Validator(schema).is_valid(bad)


def test_the_note_stands_below_whatever_prompt_there_is():
    own = Prompt(name="filter", text="You are ours. <multi_step> …\n", origin="/own/filter.md")
    system, user = InJson(stage("filter")).request(make_record(), own)
    assert system.content == f"You are ours. <multi_step> …\n\n{load('filter.json').text}"
    assert user == stage("filter").request(make_record(), own)[1]


def test_the_form_is_in_the_recipe_of_the_stages_that_have_it():
    plain, asked = (Chain(Settings(llm_requests={"": RequestOptions(form=form)})) for form in (None, "json"))
    changed = {name for name in STAGE_NAMES if plain.by_stage[name].params != asked.by_stage[name].params}
    assert changed == {"filter", "extract"}
    assert asked.by_stage["filter"].params["answer_schema"] == FILTER
    assert Chain(Settings(llm_requests={"": RequestOptions(form="tags")})).id_of("validate") == plain.id_of("validate")
    only = Chain(Settings(llm_requests=read_options({"GEM_LLM_FORM_EXTRACT": "json"}, STAGE_NAMES)))
    assert only.id_of("filter") == plain.id_of("filter")
    assert isinstance(only.stage("extract"), InJson)


def test_a_stage_without_a_json_form_says_so():
    with pytest.raises(UserError, match="GEM_LLM_FORM_GENERATE: the stage generate has no JSON form"):
        Chain(Settings(llm_requests={"generate": RequestOptions(form="json")}))
    Chain(Settings(llm_requests={"validate": RequestOptions(form="json")}))
