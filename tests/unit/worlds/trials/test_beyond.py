"""Every limit of a schema broken once."""

import pytest

from gem_tasks.worlds.arguments import ArgumentCheck
from gem_tasks.worlds.trials.beyond import beyond

SCHEMA = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "minLength": 2, "maxLength": 5, "pattern": "^[a-z]+$"},
        "kind": {"type": "string", "enum": ["a", "b"]},
        "count": {"type": "integer", "minimum": 1, "maximum": 9, "exclusiveMaximum": 20},
        "price": {"type": "number", "multipleOf": 0.5},
        "tags": {"type": "array", "items": {"type": "string", "maxLength": 3}, "minItems": 1, "maxItems": 2,
                 "uniqueItems": True},
        "filter": {"type": "object", "properties": {"status": {"type": "string", "enum": ["open"]}}},
    },
}  # fmt: skip
GIVEN = {"name": "abc", "count": 3, "price": 1.0, "tags": ["x"], "filter": {}}


def test_each_limit_is_broken_by_arguments_that_the_schema_refuses_for_their_value():
    found = list(beyond(SCHEMA, GIVEN))
    assert {(each.path, each.limit.split()[0]) for each in found} == {
        ("name", "minLength"), ("name", "maxLength"), ("name", "pattern"), ("kind", "enum"), ("count", "minimum"),
        ("count", "maximum"), ("count", "exclusiveMaximum"), ("price", "multipleOf"), ("tags", "minItems"),
        ("tags", "maxItems"), ("tags", "uniqueItems"), ("tags.0", "maxLength"), ("filter.status", "enum"),
    }  # fmt: skip
    assert GIVEN == {"name": "abc", "count": 3, "price": 1.0, "tags": ["x"], "filter": {}}
    check = ArgumentCheck(SCHEMA)
    assert [each for each in found if (bad := check.violation(each.arguments)) is None or bad.of_shape] == []


@pytest.mark.parametrize(
    "schema", [{}, {"properties": {"a": True}}, {"properties": {"a": {"type": ["string", "null"]}}}]
)
def test_a_schema_without_limits_has_nothing_to_break(schema):
    assert list(beyond(schema, {"a": "b"})) == []
