"""The forms of real descriptions, and descriptions that are none."""

import json
from urllib.parse import parse_qsl

import pytest

from gem_tasks.checks.reading.validator import Validator
from gem_tasks.errors import UserError
from gem_tasks.live_apis.fit import Fit
from gem_tasks.live_apis.hosts import require_named
from gem_tasks.live_apis.openapi import read_spec
from gem_tasks.live_apis.operation import Credential
from gem_tasks.live_apis.requests import request_of

TEXT = {"type": "string"}


def api(tmp_path, paths, **more):
    path = tmp_path / "openapi.json"
    path.write_text(json.dumps({"openapi": "3.0.3", "paths": paths, **more}))
    return read_spec(path)


def body(schema, kind="application/json"):
    return {"post": {"requestBody": {"content": {kind: {"schema": schema}}}}}


def get(*parameters, **more):
    return {"get": {"parameters": [{"in": "query", **each} for each in parameters], **more}}


def only(found):
    assert not found.unusable
    (operation,) = found.operations
    return operation


@pytest.mark.parametrize(
    ("schema", "fits", "violates"),
    [
        ({"type": "string", "nullable": True, "enum": ["a"]}, None, "b"),
        ({"type": "integer", "minimum": 0, "exclusiveMinimum": True}, 1, 0),
        ({"type": "integer", "maximum": 9, "exclusiveMaximum": False}, 9, 10),
        ({"type": "object", "properties": {"a": {"type": "string", "required": True}}}, {"a": "x"}, {"a": 1}),
        ({"allOf": [TEXT, {"maxLength": 2}]}, "ab", "abc"),
        ({"properties": {"enum": {"$ref": "#/components/schemas/Text"}}}, {"enum": "x"}, {"enum": 1}),
    ],
)
def test_the_dialect_of_openapi_3_0_is_understood(tmp_path, schema, fits, violates):
    whole = {"type": "object", "properties": {"v": schema}}
    operation = only(api(tmp_path, {"/a": body(whole)}, components={"schemas": {"Text": TEXT}}))
    assert Validator(operation.parameters).fits({"v": fits})
    assert not Validator(operation.parameters).fits({"v": violates})


def test_what_only_answers_have_is_not_asked_for(tmp_path):
    schema = {"type": "object", "required": ["id", "name"], "properties": {"id": {"readOnly": True}, "name": TEXT}}
    operation = only(api(tmp_path, {"/a": body(schema)}))
    assert (list(operation.properties), operation.required) == (["name"], ["name"])
    assert not list(Fit(operation).faults({"name": "x"}))


def test_alternatives_of_a_body_are_all_known_and_one_must_fit(tmp_path):
    card, bank = ({"type": "object", "required": [name, "amount"], "additionalProperties": False,
                   "properties": {name: TEXT, "amount": {"type": "integer"}}} for name in ("card", "iban"))  # fmt: skip
    operation = only(api(tmp_path, {"/pay/{id}": body({"oneOf": [card, bank]})}))
    assert (set(operation.properties), operation.required) == ({"card", "iban", "amount"}, ["amount"])
    assert not list(Fit(operation).faults({"card": "4", "amount": 1}))
    assert list(Fit(operation).faults({"card": "4", "iban": "D", "amount": 1}))


def test_a_name_in_two_places_is_two_parameters(tmp_path):
    item = body({"type": "object", "properties": {"id": {"type": "integer"}}})
    item["post"]["parameters"] = [{"name": "id", "in": "path", "schema": TEXT}]
    operation = only(api(tmp_path, {"/a/{id}": item}))
    assert operation.places == {"id": "path", "body.id": "body"}
    request = request_of(operation, {"id": "x", "body.id": 7})
    assert (request.path, request.content) == ("/a/x", b'{"id": 7}')


@pytest.mark.parametrize(
    ("style", "value", "written"),
    [
        ({}, [1, 2], [("v", "1"), ("v", "2")]),
        ({"explode": False}, [1, 2], [("v", "1,2")]),
        ({"style": "pipeDelimited", "explode": False}, ["a", "b"], [("v", "a|b")]),
        ({"style": "spaceDelimited", "explode": False}, ["a", "b"], [("v", "a b")]),
        ({"style": "deepObject", "explode": True}, {"gte": 1, "in": ["x"]}, [("v[gte]", "1"), ("v[in][0]", "x")]),
        ({}, {"a": True, "b": "x"}, [("a", "true"), ("b", "x")]),
        ({"content": {"application/json": {"schema": {}}}}, {"a": [1]}, [("v", '{"a": [1]}')]),
        ({}, None, []),
    ],
)
def test_values_are_written_in_the_style_that_the_description_wants(tmp_path, style, value, written):
    operation = only(api(tmp_path, {"/a": get({"name": "v", **style})}))
    assert request_of(operation, {"v": value}).query == written


@pytest.mark.parametrize(
    ("schema", "given", "read"),
    [
        ({"type": "integer"}, "7", 7),
        ({"type": "integer"}, "seven", "seven"),
        ({"type": "boolean"}, "true", True),
        (TEXT, 7, "7"),
        ({"type": "array", "items": {"type": "integer"}}, "7", [7]),
        ({"type": "number", "nullable": True}, "1.5", 1.5),
    ],
)
def test_where_only_text_is_sent_a_number_may_be_text(tmp_path, schema, given, read):
    operation = only(api(tmp_path, {"/a": get({"name": "v", "schema": schema})}))
    assert Fit(operation).written({"v": given}) == {"v": read}


@pytest.mark.parametrize(
    ("scheme", "credential"),
    [
        ({"type": "http", "scheme": "Bearer"}, Credential(kind="bearer")),
        ({"type": "oauth2"}, Credential(kind="bearer")),
        ({"type": "http", "scheme": "basic"}, Credential(kind="basic")),
        ({"type": "apiKey", "in": "header", "name": "X-Key"}, Credential(kind="header", name="X-Key")),
        ({"type": "apiKey", "in": "query", "name": "k"}, Credential(kind="query", name="k")),
    ],
)
def test_the_key_goes_where_the_description_wants_it(tmp_path, scheme, credential):
    more = {"components": {"securitySchemes": {"s": scheme}}, "security": [{"s": []}]}
    assert only(api(tmp_path, {"/a": get()}, **more)).credential == credential
    assert only(api(tmp_path, {"/a": get(security=[])}, **more)).credential is None


def test_two_keys_or_a_cookie_cannot_be_sent_and_that_is_said(tmp_path):
    schemes = {
        "a": {"type": "apiKey", "in": "header", "name": "A"},
        "b": {"type": "apiKey", "in": "cookie", "name": "B"},
    }
    operation = only(api(tmp_path, {"/a": get(security=[{"a": [], "b": []}])}, components={"securitySchemes": schemes}))
    assert operation.unsupported == "it needs a and b, which GEM cannot send"


def test_headers_that_every_request_needs_get_the_value_of_the_description(tmp_path):
    parameters = [{"in": "header", "name": "Api-Version", "required": True, "schema": {"enum": ["2"]}},
                  {"in": "header", "name": "Shop", "required": True, "schema": TEXT}]  # fmt: skip
    operation = only(api(tmp_path, {"/a": {"get": {"parameters": parameters}}}))
    assert operation.headers == {"Api-Version": "2", "Shop": None}


def test_an_invalid_pattern_costs_a_parameter_its_check_and_not_the_operation(tmp_path):
    found = api(tmp_path, {"/a": get({"name": "v", "schema": {"type": "string", "pattern": "[a-"}}, {"name": "w"})})
    assert list(found.operations[0].properties) == ["v", "w"]
    assert "is not checked" in found.unusable["GET /a, v"]


def test_two_operations_with_one_id_are_both_kept(tmp_path):
    found = api(tmp_path, {"/a": get(operationId="x"), "/b": get(operationId="x")})
    assert [each.name for each in found.operations] == ["x", "GET /b"]


@pytest.mark.parametrize("kind", ["text/xml", "multipart/form-data", "application/octet-stream"])
def test_bodies_that_cannot_be_sent_are_named(tmp_path, kind):
    assert kind in only(api(tmp_path, {"/a": body({"type": "object"}, kind)})).unsupported


@pytest.mark.parametrize("loop", [
    {"A": {"$ref": "#/components/schemas/A"}},
    {"A": {"$ref": "#/components/schemas/B"}, "B": {"$ref": "#/components/schemas/A"}},
    {"A": {"allOf": [{"$ref": "#/components/schemas/B"}]}, "B": {"anyOf": [{"$ref": "#/components/schemas/A"}]}},
])  # fmt: skip
def test_a_schema_that_is_itself_is_refused_and_the_others_stay(tmp_path, loop):
    paths = {"/a": body({"$ref": "#/components/schemas/A"}), "/b": get()}
    found = api(tmp_path, paths, components={"schemas": loop})
    assert [each.name for each in found.operations] == ["GET /b"]
    assert "refers to itself" in found.unusable["POST /a"]


def test_odd_parts_cost_only_their_operation(tmp_path):
    paths = {"/a": {"get": 3}, "/b": {"get": {"parameters": [{"name": 1}]}}, "/c": 4, "x-d": {"get": {}}, "/e": get()}
    found = api(tmp_path, paths)
    assert [each.name for each in found.operations] == ["GET /e"]
    assert set(found.unusable) == {"GET /a", "GET /b", "/c"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"kind": "discovery#directoryList", "discoveryVersion": "v1", "items": []}', "a list of Google"),
        ('{"asyncapi": "3.0.0"}', "an AsyncAPI document"),
        ('{"info": {}, "item": []}', "a Postman collection"),
        ("just words", "not an OpenAPI document"),
        ("<html></html>", "not an OpenAPI document"),
        ("a: &a [*a]\npaths: {}", "contains it"),
        ("a: *b\npaths: {}", "of nothing"),
    ],
)
def test_other_documents_are_named(tmp_path, text, said):
    path = tmp_path / "spec.yaml"
    path.write_text(text)
    with pytest.raises(UserError, match=said):
        read_spec(path)


def test_aliases_of_yaml_are_read(tmp_path):
    path = tmp_path / "spec.yaml"
    path.write_text("openapi: 3.0.0\npaths:\n  /a: {get: &g {summary: It}}\n  /b: {get: *g}\n")
    assert [each.description for each in read_spec(path).operations] == ["It", "It"]


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "http://localhost/x", "http://[::1]:80", "my-command --x", None])
def test_this_machine_may_be_called(url):
    require_named(url, None)


@pytest.mark.parametrize(
    "url",
    [
        "https://api.example.com/v1",
        "http://localhost.example.com",
        "http://10.0.0.1",
        "http://[x",
        "HTTP://10.0.0.1",
        " http://10.0.0.1",
        "Http:10.0.0.1",
        "http://127.0.0.1:99999",
    ],
)
def test_another_machine_must_be_named(url):
    with pytest.raises(UserError):
        require_named(url, "other.example.com")


def test_a_named_machine_may_be_called():
    require_named("https://API.example.com/v1", "api.example.com")


def test_an_api_without_a_title_is_named_by_its_file_so_that_two_do_not_replace_each_others_findings(tmp_path):
    path = tmp_path / "orders.json"
    path.write_text(json.dumps({"openapi": "3.1.0", "info": {}, "paths": {}}))
    assert read_spec(path).title == "orders.json"


def test_items_of_any_form_are_read(tmp_path):
    schema = {"type": "array", "items": True}
    paths = {"/x": get({"name": "tags", "in": "query", "schema": schema})}
    (operation,) = api(tmp_path, paths).operations
    assert Fit(operation).written({"tags": "a"}) == {"tags": ["a"]}


@pytest.mark.parametrize("name", ["Host", "X-HTTP-Method-Override"])
def test_a_header_by_which_a_reading_call_would_write_or_lead_elsewhere_is_not_sent(tmp_path, name):
    header = {"name": name, "in": "header", "required": True, "schema": {"const": "DELETE"}}
    operation = only(api(tmp_path, {"/x": get(header)}))
    assert name in operation.unsupported and not operation.headers


@pytest.mark.parametrize(
    ("place", "form", "path", "pairs"),
    [
        ("query", None, "/a", [("ids", "1,2")]),
        ("query", "tsv", "/a", [("ids", "1\t2")]),
        ("query", "multi", "/a", [("ids", "1"), ("ids", "2")]),
        ("formData", None, "/a", [("ids", "1,2")]),
        ("formData", "ssv", "/a", [("ids", "1 2")]),
        ("formData", "multi", "/a", [("ids", "1"), ("ids", "2")]),
        ("path", None, "/a/1%2C2", []),
        ("path", "pipes", "/a/1%7C2", []),
    ],
)
def test_lists_of_swagger_are_written_as_their_collection_format_says(tmp_path, place, form, path, pairs):
    row = {"name": "ids", "in": place, "type": "array", "items": {"type": "integer"}, "required": True}
    row |= {"collectionFormat": form} if form else {}
    template = "/a/{ids}" if place == "path" else "/a"
    spec = tmp_path / "spec.json"
    spec.write_text(json.dumps({"swagger": "2.0", "paths": {template: {"post": {"parameters": [row]}}}}))
    (operation,) = read_spec(spec).operations
    sent = request_of(operation, {"ids": [1, 2]})
    assert sent.path == path
    assert (parse_qsl(sent.content.decode()) if place == "formData" else sent.query) == pairs
