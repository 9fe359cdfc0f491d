"""Google discovery documents are read as the same operations as OpenAPI's."""

import json

import pytest

from gem_tasks.live_apis.fit import Fit
from gem_tasks.live_apis.openapi import read_spec
from gem_tasks.live_apis.requests import request_of

DOCUMENT = {
    "kind": "discovery#restDescription", "discoveryVersion": "v1", "name": "rooms", "title": "Rooms API",
    "version": "v1", "rootUrl": "https://rooms.example.com/", "servicePath": "",
    "parameters": {"key": {"type": "string", "location": "query"}, "alt": {"type": "string", "location": "query"}},
    "auth": {"oauth2": {"scopes": {"https://rooms.example.com/auth": {}}}},
    "schemas": {
        "Booking": {
            "id": "Booking", "type": "object", "properties": {
                "start": {"type": "string", "format": "google-datetime"},
                "guests": {"type": "array", "items": {"$ref": "Guest"}},
                "cents": {"type": "string", "format": "int64"},
                "etag": {"type": "string", "readOnly": True},
                "title": {"type": "string", "annotations": {"required": ["rooms.spaces.bookings.create"]}},
            },
        },
        "Guest": {"type": "object", "properties": {"name": {"type": "string"}, "host": {"$ref": "Guest"}}},
    },
    "resources": {"spaces": {"resources": {"bookings": {"methods": {
        "list": {
            "id": "rooms.spaces.bookings.list", "httpMethod": "GET", "path": "v1/{+parent}/bookings",
            "flatPath": "v1/spaces/{spacesId}/bookings",
            "parameters": {
                "parent": {"type": "string", "location": "path", "required": True, "description": "The space."},
                "pageSize": {"type": "integer", "location": "query", "minimum": "1", "maximum": "50"},
                "kinds": {"type": "string", "location": "query", "repeated": True, "enum": ["day", "night"]},
            },
        },
        "create": {
            "id": "rooms.spaces.bookings.create", "httpMethod": "POST", "path": "v1/{+parent}/bookings",
            "flatPath": "v1/spaces/{spacesId}/bookings",
            "parameters": {"parent": {"type": "string", "location": "path", "required": True}},
            "request": {"$ref": "Booking"},
        },
    }}}}},
}  # fmt: skip


@pytest.fixture
def api(tmp_path):
    path = tmp_path / "rooms.json"
    path.write_text(json.dumps(DOCUMENT))
    return read_spec(path)


def faults(operation, **arguments):
    fit = Fit(operation)
    return [fault.path for fault in fit.faults(fit.written(arguments))]


def test_methods_of_all_resources_are_operations(api):
    assert (api.title, api.version, api.servers, api.unusable) == (
        "Rooms API", "v1", ("https://rooms.example.com/",), {}
    )  # fmt: skip
    found, made = api.operations
    assert (found.name, found.method, found.path) == (
        "rooms.spaces.bookings.list", "GET", "/v1/spaces/{spacesId}/bookings"
    )  # fmt: skip
    assert found.required == ["spacesId"]
    assert found.properties["spacesId"]["description"] == "Part of parent: The space."
    assert found.credential.kind == "bearer"
    assert made.required == ["spacesId", "title"], "what only this method requires"
    assert "etag" not in made.properties


def test_arguments_are_checked_and_sent_as_the_document_says(api):
    found, made = api.operations
    assert faults(found, spacesId="a", pageSize=50, kinds=["day"]) == []
    assert faults(found, spacesId="a", pageSize=51, kinds=["week"]) == ["$.pageSize", "$.kinds[0]"]
    assert faults(made, spacesId="a", title="t", cents=5, guests=[{"name": "n", "host": {"name": "h"}}]) == []
    assert faults(made, spacesId="a", title="t", start="tomorrow", cents=0.5) == ["$.start", "$.cents"]
    sent = request_of(found, {"spacesId": "a/b", "kinds": ["day", "night"]})
    assert (sent.path, sent.query) == ("/v1/spaces/a%2Fb/bookings", [("kinds", "day"), ("kinds", "night")])
    assert json.loads(request_of(made, {"spacesId": "a", "title": "t"}).content) == {"title": "t"}


@pytest.mark.parametrize("part", ["resources", "schemas", "parameters", "auth"])
@pytest.mark.parametrize("broken", [None, [], "x", {"a": None, "b": {"methods": 7, "resources": []}}])
def test_a_broken_part_is_left_out(tmp_path, part, broken):
    path = tmp_path / "rooms.json"
    path.write_text(json.dumps(DOCUMENT | {part: broken}))
    api = read_spec(path)
    assert len(api.operations) + len(api.unusable) in (0, 2)


def test_an_api_without_oauth_takes_its_key_in_the_query(tmp_path):
    path = tmp_path / "rooms.json"
    path.write_text(json.dumps({name: part for name, part in DOCUMENT.items() if name != "auth"}))
    credential = read_spec(path).operations[0].credential
    assert (credential.kind, credential.name) == ("query", "key")
