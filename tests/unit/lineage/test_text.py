"""What Postgres cannot store is replaced, and nothing else is touched."""

import json
import math

from hypothesis import given
from hypothesis import strategies as st

from gem_tasks.lineage.text import json_text, storable

STRINGS = st.text(st.characters(exclude_categories=()), max_size=20) | st.sampled_from(
    ["\0", "\\u0000", "\\\\u0000", "\\\0", "\\\\\0", "\ud83d\0", "\ud83d\ude00"]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | STRINGS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(STRINGS, inner, max_size=4),
    max_leaves=12,
)


def expected(value):
    """The same rules written the slow way, over the values instead of the text."""
    match value:
        case str():
            return "".join("\ufffd" if char == "\0" or "\ud800" <= char <= "\udfff" else char for char in value)
        case float() if not math.isfinite(value):
            return None
        case list():
            return [expected(item) for item in value]
        case dict():
            return {expected(name): expected(item) for name, item in value.items()}
    return value


@given(STRINGS)
def test_a_string_keeps_its_length_and_becomes_utf8_without_nul(text):
    kept = storable(text)
    assert len(kept) == len(text)
    assert "\0" not in kept
    kept.encode("utf-8")
    assert kept == expected(text)


@given(VALUES)
def test_json_is_standard_and_means_what_was_meant(value):
    def refuse(constant):
        raise AssertionError(f"{constant} is no JSON")

    assert json.loads(json_text(value), parse_constant=refuse) == expected(value)


def test_lists_are_cleaned_item_by_item_and_other_values_pass():
    assert storable(["a\0", None, 3]) == ["a\ufffd", None, 3]
    assert storable(7) == 7
