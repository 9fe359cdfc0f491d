"""Filter and extract asked for JSON, of a model that is held to a schema and knows nothing of tags."""

import json

import pytest
from jsonschema import Draft202012Validator

from gem_tasks.domain.request_options import RequestOptions
from gem_tasks.lineage import RunContext
from gem_tasks.pipeline.ingest.source import ingest
from gem_tasks.pipeline.shard.records import outcomes_of
from gem_tasks.pipeline.shard.run import run_shard
from gem_tasks.prompts.tags import one
from gem_tasks.stages import stage
from tests.corpus import EXAMPLES, PARTITION
from tests.doubles.serving import Provider, error, message_of
from tests.factories import make_record
from tests.planning import plan

IN_JSON = {"": RequestOptions(form="json")}


def as_json(text):
    """The teacher's tags as the object that a schema asks for."""
    if "<multi_step>" not in text:
        extraction = json.loads(stage("extract").parse(text, make_record()).payload)
        return {
            "workflow": [
                each | {"execution_graph": each["execution_graph"]["nodes"]} for each in extraction["workflows"]
            ]
        }
    if one(text, "multi_step") == "False":
        return {"answer": {"multi_step": False, "reason": one(text, "reason")}}
    words = {name: one(text, name) for name in ("summary", "platform", "task")}
    return {"answer": {"multi_step": True, "domain": one(text, "domain").split(", "), **words}}


def held(provider, body, schema_of, types):
    """Answers in prose, unless `response_format` holds it to a schema; refuses types of it that it does not know."""
    asked = body.get("response_format", {})
    if asked.get("type") not in types:
        return error(500, f"1 validation error: ('body', 'response_format', 'type'): Input should be {types[-1]!r}")

    def change(answer):
        said = message_of(answer)
        found, schema = as_json(said["content"]), schema_of(asked)
        said["content"] = "It seems so." if schema is None else json.dumps(found)
        assert schema is None or Draft202012Validator(schema).is_valid(found)

    return provider.served(body, change)


def openai_form(provider, body):
    return held(provider, body, lambda asked: asked.get("json_schema", {}).get("schema"), (None, "json_schema"))


def llama_cpp_python(provider, body):
    return held(provider, body, lambda asked: asked.get("schema"), (None, "text", "json_object"))


def outcomes(work, path, names=("filter", "extract")):
    ingest(work, str(path), PARTITION)
    plan(work, PARTITION)
    for name in names:
        run_shard(work, name, PARTITION, 0, RunContext(run_id="r"))
    found = {name: outcomes_of(work, name, PARTITION, 0) for name in names}
    return {
        name: {key: (each.kind, each.reason, each.payload) for key, each in of.items()} for name, of in found.items()
    }


@pytest.mark.parametrize(("manner", "wasted"), [(openai_form, 0), (llama_cpp_python, 1)])
def test_a_model_that_is_held_to_a_schema_gives_the_same_outcomes_as_one_that_writes_tags(
    workspace, teacher_url, manner, wasted
):
    in_tags = outcomes(workspace(shard_segments=100), EXAMPLES)
    with Provider(teacher_url, manner) as provider:
        work = workspace(llm_base_url=provider.url, shard_segments=100, llm_requests=IN_JSON)
        assert outcomes(work, EXAMPLES) == in_tags
        assert provider.refused == wasted
        strict = {body.get("response_format", {}).get("json_schema", {}).get("strict") for body in provider.asked}
        assert strict == ({True, False} if manner is openai_form else {None, True})


def test_the_same_model_fails_without_the_form(workspace, teacher_url):
    with Provider(teacher_url, openai_form) as provider:
        work = workspace(llm_base_url=provider.url, shard_segments=100)
        kinds = [kind for kind, _, _ in outcomes(work, EXAMPLES / "parcel-locker.md", ("filter",))["filter"].values()]
    assert kinds == ["failed"]
