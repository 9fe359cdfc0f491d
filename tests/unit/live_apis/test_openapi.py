"""What an OpenAPI document says, and everything in it that is not followed."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gem_tasks.checks.reading.validator import Validator
from gem_tasks.errors import UserError
from gem_tasks.live_apis import openapi
from gem_tasks.live_apis.http_api import HttpApi
from gem_tasks.live_apis.openapi import read_spec
from gem_tasks.live_apis.requests import filled

ORDER = {
    "type": "object",
    "properties": {"item": {"type": "string"}, "count": {"type": "integer"}},
    "required": ["item"],
}


def spec(tmp_path, paths, **more):
    path = tmp_path / "openapi.json"
    path.write_text(json.dumps({"openapi": "3.1.0", "paths": paths, **more}))
    return path


def with_body(schema):
    return {"post": {"requestBody": {"content": {"application/json": {"schema": schema}}}}}


def test_parameters_of_path_query_and_body_become_one_schema_with_their_places(tmp_path):
    paths = {
        "/shops/{shop}/orders": {
            "parameters": [{"name": "shop", "in": "path", "required": True, "schema": {"type": "string"}}],
            **with_body({"$ref": "#/components/schemas/Order"}),
        }
    }
    paths["/shops/{shop}/orders"]["post"]["parameters"] = [
        {"name": "dry", "in": "query", "schema": {"type": "boolean"}}
    ]
    api = read_spec(spec(tmp_path, paths, components={"schemas": {"Order": ORDER}}))
    (found,) = api.operations
    assert not api.unusable
    assert found.name == "POST /shops/{shop}/orders"
    assert found.required == ["item", "shop"]
    assert found.places == {"shop": "path", "dry": "query", "item": "body", "count": "body"}


def test_yaml_is_read_too(tmp_path):
    path = tmp_path / "openapi.yaml"
    path.write_text("openapi: 3.0.0\npaths:\n  /a:\n    get:\n      operationId: readA\n")
    assert read_spec(path).operations[0].name == "readA"


@pytest.mark.parametrize(
    "reference", ["http://127.0.0.1/secret.json", "file:///etc/passwd", "other.json#/a", "//evil/x", "#missing"]
)
def test_a_reference_to_another_document_is_not_followed(tmp_path, reference):
    api = read_spec(spec(tmp_path, {"/a": with_body({"$ref": reference}), "/b": {"get": {}}}))
    assert [operation.name for operation in api.operations] == ["GET /b"]
    assert "not fetched" in api.unusable["POST /a"]


def test_a_schema_that_contains_itself_ends(tmp_path):
    node = {"type": "object", "properties": {"next": {"$ref": "#/components/schemas/Node"}}}
    (found,) = read_spec(spec(tmp_path, {"/a": with_body(node)}, components={"schemas": {"Node": node}})).operations
    assert list(found.properties) == ["next"]
    assert Validator(found.parameters).fits({"next": {"next": {"next": {}}}})
    assert not Validator(found.parameters).fits({"next": {"next": {"next": 3}}})


def test_references_that_multiply_are_given_up(tmp_path):
    schemas = {f"n{at}": {"allOf": [{"$ref": f"#/components/schemas/n{at + 1}"}] * 12} for at in range(9)} | {"n9": {}}
    api = read_spec(
        spec(tmp_path, {"/a": with_body({"$ref": "#/components/schemas/n0"})}, components={"schemas": schemas})
    )
    assert not api.operations
    assert "too many references" in api.unusable["POST /a"]


@pytest.mark.parametrize("text", ["", "[]", "paths: 3", "{", "\x00", "a: [" * 50])
def test_what_is_no_openapi_document_is_one_line(tmp_path, text):
    path = tmp_path / "x.json"
    path.write_text(text)
    with pytest.raises(UserError) as error:
        read_spec(path)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("value", ["..", ".", "", None, True, ["a"], {"a": 1}, "../admin", "a/../../b", "..\\x"])
def test_a_path_value_that_climbs_or_is_no_scalar_is_refused(value):
    assert filled("/orders/{id}", {"id": value}) is None


@pytest.mark.parametrize("path", ["/%2e%2e/admin", "/a/%2E./b", "/..\\b", "/a/%2e%2e%2fb"])
def test_a_path_of_the_description_that_climbs_when_decoded_is_refused(path):
    assert filled(path, {}) is None


@given(st.text(min_size=1))
def test_no_value_changes_which_path_is_called(value):
    path = filled("/orders/{id}/items", {"id": value.encode("utf-8", "replace").decode()})
    assert path is None or (path.count("/") == 3 and "?" not in path and "#" not in path)


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc",
        "http://user:secret@host/",
        "ftp://host",
        "host/path",
        "http://h?x=1",
        "http://h?",
        "http://h/#x",
        "ftp://[",
        "http://h:99999",
        " http://h",
    ],
)
def test_a_base_url_is_plain_http(url):
    with pytest.raises(UserError):
        HttpApi(url, None, 1)


def test_aliases_that_stand_for_gigabytes_are_refused(tmp_path):
    path = tmp_path / "api.yaml"
    rows = [f"a{number}: &a{number} [{', '.join([f'*a{number - 1}'] * 9)}]" for number in range(1, 12)]
    path.write_text("\n".join(["a0: &a0 [x]", *rows, "paths: {}"]))
    with pytest.raises(UserError, match="more than 2000000 values"):
        read_spec(path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("paths: {}\nx: [" + "1," * 60_000 + "1]", "more than 50000 values"),
        ("paths: " + "[" * 100_000, "more than 200 levels"),
        ("paths: {}\nx: " + "1:" * 200_000 + "1", "a number of more than 100 characters"),  # base 60: quadratic
        ("paths: {}\nx: " + "1:" * 200_000 + "1.0", "a number of more than 100 characters"),
        ('{"paths": {}, "x": [' + "{}," * 2_000_000 + "1]}", "more than 50000 values"),
    ],
)
def test_documents_of_millions_of_values_or_levels_are_refused_before_they_are_loaded(
    tmp_path, monkeypatch, text, said
):
    monkeypatch.setattr(openapi, "_MAX_NODES", 50_000)
    path = tmp_path / "spec.yaml"
    path.write_text(text)
    with pytest.raises(UserError, match=said):
        read_spec(path)


def test_references_that_many_operations_share_are_read_once(tmp_path):
    parts = {f"s{number}": {"type": "object", "properties": {
        name: {"$ref": f"#/components/schemas/s{number + 1}"} for name in "abcd"}} for number in range(6)
    } | {"s6": {"type": "string"}}  # fmt: skip
    paths = {f"/{number}": with_body({"$ref": "#/components/schemas/s0"}) for number in range(300)}
    api = read_spec(spec(tmp_path, paths, components={"schemas": parts}))
    assert len(api.operations) == 300
    assert not Validator(api.operations[-1].parameters).fits({"a": {"b": {"c": {"d": {"a": {"b": 3}}}}}})


def test_operations_that_share_a_large_schema_are_limited_together(tmp_path, monkeypatch):
    monkeypatch.setattr(openapi, "_MAX_SLOTS", 1_000)
    wide = {"type": "object", "properties": {f"p{n}": {} for n in range(100)}}
    shared = with_body({"$ref": "#/components/schemas/Wide"})
    schemas = {"schemas": {"Wide": wide}}
    fits = read_spec(spec(tmp_path, {f"/{n}": shared for n in range(10)}, components=schemas))
    assert len(fits.operations) == 10
    with pytest.raises(UserError, match="more than 1000 fields"):
        read_spec(spec(tmp_path, {f"/{n}": shared for n in range(11)}, components=schemas))
