"""When calls are the same."""

import pytest

from gem_tasks.domain.workflow import ToolSpec
from gem_tasks.evals.calls.matching import Called, same_exactly, same_functions, same_in_meaning

TEXT = {"type": "string"}


def equal(one, other, required=(), **properties):
    tool = ToolSpec(name="f", description="", parameters={"properties": properties, "required": list(required)})
    assert same_exactly([Called("f", one)], [Called("f", one)])
    return same_in_meaning([Called("f", one)], [Called("f", other)], [tool])


DAY, MOMENT, CLOCK = ({**TEXT, "format": form} for form in ("date", "date-time", "time"))


@pytest.mark.parametrize(
    ("one", "other", "schema"),
    [
        ({"x": 2}, {"x": 2.0}, {"type": "number"}),
        ({"x": 2}, {"x": 2.0}, {}),
        ({"x": 5}, {}, {"type": "integer", "default": 5}),
        ({"x": 5.0}, {}, {"type": "integer", "default": 5}),
        ({"x": "high"}, {"x": "High"}, {"enum": ["High", "Low"]}),
        ({"x": "2026-03-05"}, {"x": "2026/3/5"}, DAY),
        ({"x": "2026-03-05"}, {"x": "2026/3/5"}, TEXT),
        ({"x": "2026-03-05T10:00:00Z"}, {"x": "2026-03-05T11:00+01:00"}, MOMENT),
        ({"x": "2026-03-05 10:00"}, {"x": "2026-03-05T10:00:00"}, TEXT),
        ({"x": "9:30"}, {"x": "09:30:00"}, CLOCK),
        ({"x": ["b", "a"]}, {"x": ["a", "b"]}, {"type": "array", "uniqueItems": True}),
        ({"x": "Cr\u00e8me"}, {"x": "Cre\u0300me"}, TEXT),
        ({"x": {"y": 1}}, {"x": {}}, {"properties": {"y": {"default": 1}}}),
        ({"x": "a"}, {"x": "A"}, {"anyOf": [{"enum": ["A"]}, {"type": "null"}]}),
        ({"x": [{"y": 1.0}]}, {"x": [{"y": 1}]}, {"items": {"type": "object"}}),
    ],
)
def test_the_same_in_meaning(one, other, schema):
    assert equal(one, other, x=schema)
    assert not same_exactly([Called("f", one)], [Called("f", other)])


@pytest.mark.parametrize(
    ("one", "other", "schema"),
    [
        ({"x": 2}, {"x": "2"}, {"type": "integer"}),
        ({"x": 1}, {"x": True}, {}),
        ({"x": None}, {}, {"type": ["string", "null"]}),
        ({"x": "high"}, {"x": "High"}, TEXT),
        ({"x": "a"}, {"x": "b"}, {"enum": ["A", "a", "b"]}),
        ({"x": ["b", "a"]}, {"x": ["a", "b"]}, {"type": "array"}),
        ({"x": ["a", "a"]}, {"x": ["a"]}, {"type": "array", "uniqueItems": True}),
        ({"x": "2026-03-05"}, {"x": "2026/3/5"}, {**TEXT, "pattern": "^.{10}$"}),
        ({"x": "2026-03-05"}, {"x": "2026-05-03"}, DAY),
        ({"x": "2026-13-45"}, {"x": "2026/13/45"}, DAY),
        ({"x": "9:30"}, {"x": "09:30"}, {**TEXT, "format": "uri"}),
        ({"x": "2026-03-05T10:00:00Z"}, {"x": "2026-03-05T10:00:00"}, MOMENT),
        ({"x": 5}, {}, {"type": "integer", "default": 6}),
    ],
)
def test_not_the_same(one, other, schema):
    assert not equal(one, other, x=schema)


def test_a_required_property_may_not_be_left_out_for_its_default():
    assert not equal({"x": 5}, {}, required=["x"], x={"default": 5})


def test_parallel_calls_have_no_order_but_a_number():
    one, other = Called("f", {"x": 1}), Called("g", {})
    assert same_functions([one, other], [other, one])
    assert same_exactly([one, other], [other, one])
    assert same_in_meaning([one, other], [other, one], [])
    assert not same_functions([one], [one, one])
    assert not same_exactly([one, one], [one])


def test_arguments_that_cannot_be_read_are_no_arguments():
    assert not same_in_meaning([Called("f", {})], [Called("f", None)], [])


def test_a_schema_that_contains_itself_ends():
    node = {"$ref": "#/properties/x", "properties": {"y": {"$ref": "#/properties/x"}}}
    deep = {}
    for _ in range(200):
        deep = {"y": deep}
    assert equal({"x": deep}, {"x": deep}, x=node)
