"""The scalars of a call, each with the part of the schema that governs it, wherever the schema keeps it."""

from hypothesis import given
from hypothesis import strategies as st

from gem_tasks.checks.reading.arguments import leaves, resolved

ITEM = {"type": "object", "properties": {"count": {"type": "integer", "default": 1}}}
SCHEMA = {
    "type": "object",
    "properties": {
        "items": {"type": "array", "items": ITEM},
        "shop": {"$ref": "#/$defs/shop"},
        "size": {"anyOf": [{"enum": ["S"]}, {"enum": ["M", "L"]}], "enum": ["XL"]},
        "lost": {"$ref": "#/$defs/nowhere"},
        "foreign": {"$ref": "http://example.com/schema"},
    },
    "additionalProperties": {"type": "string", "const": "fixed"},
    "$defs": {"shop": {"$ref": "#/$defs/name"}, "name": {"type": "string", "enum": ["north", "south"]}},
}  # fmt: skip


def found(arguments, schema=SCHEMA):
    return [(leaf.path, leaf.name, leaf.value) for leaf in leaves(arguments, schema)]


def only(arguments):
    (leaf,) = leaves(arguments, SCHEMA)
    return leaf


def test_scalars_come_in_written_order_with_their_paths():
    assert found({"items": [{"count": 2}, {"count": 3}], "shop": "north", "x": {"y": [1, None]}}) == [
        ("$.items[0].count", "count", 2),
        ("$.items[1].count", "count", 3),
        ("$.shop", "shop", "north"),
        ("$.x.y[0]", "y", 1),
        ("$.x.y[1]", "y", None),
    ]
    assert found({}) == found({"items": []}) == []


def test_the_schema_may_settle_a_value():
    assert only({"shop": "north"}).settled, "two references lead to the list"
    assert not only({"shop": "west"}).settled
    assert only({"size": "L"}).settled, "any branch may have it"
    assert only({"size": "XL"}).settled
    assert only({"items": [{"count": 1}]}).settled, "the default"
    assert not only({"items": [{"count": 2}]}).settled
    assert not only({"items": [{"count": 1.0}]}).settled, "not of the same type"
    assert only({"other": "fixed"}).settled
    assert only({"lost": True}).settled
    assert not only({"lost": "word"}).settled
    assert not only({"foreign": "word"}).settled


def test_references_in_a_circle_end():
    circle = {"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}}
    assert "$ref" in resolved({"$ref": "#/$defs/a"}, circle)


def test_of_two_branches_the_first_wins_but_for_lists_of_values():
    merged = resolved({"oneOf": [{"type": "string", "enum": ["a"]}, {"type": "integer", "enum": [1]}, 7]}, {})
    assert (merged["type"], merged["enum"]) == ("string", ["a", 1])


def test_what_is_nested_too_deeply_is_left_out():
    deep = value = {}
    for _ in range(2000):
        value["a"] = value = {}
    value["a"] = 1
    assert found(deep) == []


SCALARS = st.none() | st.booleans() | st.integers() | st.text(max_size=3)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3)
)


def count(value):
    if isinstance(value, dict):
        return sum(map(count, value.values()))
    return sum(map(count, value)) if isinstance(value, list) else 1


@given(st.dictionaries(st.text(max_size=3), VALUES, max_size=4))
def test_every_scalar_is_found_once_whatever_the_schema(arguments):
    assert len(found(arguments, {})) == count(arguments)
    assert len(found(arguments)) == count(arguments)
