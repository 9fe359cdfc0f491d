"""Every param of every DAG takes what it is for and nothing else: names, bounded numbers, lines of text."""

import re

import pytest

from tests.dags.folder import DAGS

pytestmark = [pytest.mark.filterwarnings("default")]

ACTING = ["a\n", "a\nb", "x\x00y", "\x1b[31mred", "\x9b31m", "\u202egpj.exe", "\ud800", "a" * 100_000]
NOT_TEXT = [5, {"a": 1}, ["a"], True]
PATHS = ["evil.yaml", "../smoke", "/etc/passwd", "a/b", "./x", ".hidden", "smoke.yml", "a b"]
NUMBERS = ["1", 10**30, -(10**30), float("inf"), [1], {}, "__import__('os')"]
TEXTS_THAT_FIT = {
    "source": ["/data/a b/ä.txt", "s3://bucket/prefix", "hf://datasets/owner/name", "examples/corpus"],
    "model": ["Qwen/Qwen3-8B", "/weights/Qwen3-8B"],
    "profile": ["smoke", "qwen3-8b-agent-lora"],
    "endpoint_url": ["http://127.0.0.1:8000/v1", "https://models.example/v1"],
    "first": ["2026-01-31T14:00", "2026-01-31"],
}


@pytest.fixture(scope="module")
def params():
    from airflow.dag_processing.dagbag import DagBag

    dags = DagBag(dag_folder=str(DAGS)).dags
    return {(dag.dag_id, name): dag.params.get_param(name) for dag in dags.values() for name in dag.params}


def of(params, *kinds):
    return {key: each for key, each in params.items() if set(kinds) & set(types(each.schema))}


def types(schema):
    kind = schema["type"]
    return kind if isinstance(kind, list) else [kind]


def refused(param, value):
    from airflow.sdk.exceptions import AirflowException

    try:
        param.resolve(value=value)
    except (AirflowException, ValueError, TypeError, UnicodeError):
        return True
    return False


def test_there_are_params_of_every_kind(params):
    assert len(params) > 40
    assert {"string", "integer", "number", "array", "object", "boolean"} <= {
        kind for each in params.values() for kind in types(each.schema)
    }


def test_every_schema_says_what_is_allowed(params):
    for key, param in params.items():
        schema = param.schema
        for text in [schema] * ("string" in types(schema)) + [schema.get("items")] * ("array" in types(schema)):
            assert "enum" in text or text["pattern"].endswith(r"(?![\s\S])"), key
            if "enum" not in text:
                assert re.search(r"\{\d+,\d+\}|\{\d+\}", text["pattern"]), key
        if {"integer", "number"} & set(types(schema)):
            assert {"minimum", "exclusiveMinimum"} & set(schema), key
            assert "maximum" in schema, key
        if "array" in types(schema):
            assert schema["maxItems"] <= 1000, key
        if "object" in types(schema):
            assert schema["propertyNames"]["enum"], key
            assert schema["additionalProperties"]["pattern"], key


def test_defaults_fit(params):
    for key, param in params.items():
        assert not refused(param, param.value), key


def test_no_text_takes_what_acts_or_is_no_text(params):
    for key, param in of(params, "string").items():
        for value in [*ACTING, *NOT_TEXT]:
            assert refused(param, value), (key, value)


def test_no_list_takes_what_acts_or_too_much(params):
    for key, param in of(params, "array").items():
        for value in [*([each] for each in [*ACTING, *NOT_TEXT]), "a", 5, ["a"] * 100_000]:
            assert refused(param, value), (key, str(value)[:60])


def test_no_number_takes_text_or_what_is_beyond_all_bounds(params):
    for key, param in of(params, "integer", "number").items():
        for value in NUMBERS:
            assert refused(param, value), (key, value)


def test_no_object_takes_other_keys_or_values(params):
    for key, param in of(params, "object").items():
        for value in [{"../x": "a"}, {"refine": "a\n"}, {"refine": 5}, {"refine": {}}, {"refine": None}, [], "a"]:
            assert refused(param, value), (key, value)


@pytest.mark.parametrize("name", ["profile", "experiment"])
def test_what_names_something_of_ours_is_never_a_path(params, name):
    for value in PATHS:
        assert refused(params["gem_distill", name], value), value


@pytest.mark.parametrize(
    "value", ["weights", "../weights", "/weights/../etc", "~/weights", "a/b/c", "file:///x", "/..", "a/.."]
)
def test_weights_are_of_the_hub_or_at_a_whole_path(params, value):
    assert refused(params["gem_distill", "model"], value)


@pytest.mark.parametrize(
    "value", ["file:///etc/passwd", "http://user:pw@h/v1", "ftp://h", "http://h/v1?key=x", "//h/v1"]
)
def test_addresses_of_servers_are_of_http_and_hold_no_key(params, value):
    for name in ("endpoint_url", "user_url"):
        assert refused(params["gem_distill", name], value), name


def test_what_people_use_is_taken(params):
    for (dag, name), param in params.items():
        for value in TEXTS_THAT_FIT.get(name, []):
            assert not refused(param, value), (dag, name, value)
    assert not refused(params["gem_distill", "bfcl_ids"], ["multi_turn_base_0", "multi_turn_long_context_199"])
    assert not refused(
        params["gem_distill", "bfcl_ids"], ["simple_python_3", "live_simple_0-0-0", "memory_kv_2-customer-2"]
    )
    assert not refused(
        params["gem_distill", "tau2_ids"], ["airline/8", "telecom/[mms_issue]bad_wifi|user[PERSONA:None]"]
    )
    assert not refused(params["gem_ingest", "prompts"], {"refine": "0" * 64, "repair": "ab12"})
    assert not refused(params["gem_ingest", "models"], {"refine": "org/model:free"})
