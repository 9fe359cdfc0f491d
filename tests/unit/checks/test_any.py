"""Whatever a model writes, the checks give findings and never raise; the fast validator agrees with the exact one."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError

from gem_tasks.checks import run_checks
from gem_tasks.checks.reading.case import Evidence
from gem_tasks.checks.reading.validator import validator
from gem_tasks.domain.trajectory import Message, ToolCall, Trajectory
from gem_tasks.domain.workflow import ToolSpec
from tests.factories import make_record

pytestmark = pytest.mark.no_cover  # a thousand conversations: measuring coverage takes several times as long as running

WORDS = st.sampled_from(
    "loan_id id L-7 2026-05-14 tomorrow 3 weeks at most 20 items cancel_loan get_loan <think> User: I have renewed it. "
    "1e999 12,5 % € error status price total Yes? {} [ ] ~ cannot be undone 99999999-99-99 31.02.2026 1/2/3 ٣ ²".split(
        " "
    )
)
text = st.text(max_size=30) | st.lists(WORDS, max_size=12).map(" ".join)
scalar = st.none() | st.booleans() | st.integers() | st.floats() | text
value = st.recursive(
    scalar, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text | WORDS, inner, max_size=4), max_leaves=12
)
body = st.dictionaries(st.sampled_from(["loan_id", "id", "status", "price", "count", "items", "error"]) | text, value)
names = st.sampled_from(["get_loan", "cancel_loan", "renew_loan", "", "a b", "LOAN.get", "0"]) | st.text(max_size=6)
schema_keyword = st.sampled_from(
    "type enum const minimum maxLength pattern format properties required items additionalProperties anyOf $ref "
    "default description minItems uniqueItems".split()
)
schema_value = (
    value
    | st.sampled_from(["string", "integer", "number", "object", "array", "date", "email", "#/$defs/x", "(", "^a"])
    | st.integers(-2, 4)
)
schema = st.recursive(
    st.dictionaries(schema_keyword, schema_value, max_size=3),
    lambda inner: st.fixed_dictionaries(
        {"type": st.sampled_from(["object", "string", "integer", "number", "array"])},
        optional={
            "properties": st.dictionaries(st.sampled_from(["loan_id", "weeks", "a"]), inner, max_size=3),
            "items": inner,
            "required": st.lists(st.sampled_from(["loan_id", "weeks"]), max_size=2),
            "enum": st.lists(value, max_size=3),
            "maximum": st.integers(-5, 5) | st.floats(allow_nan=False, allow_infinity=False),
            "additionalProperties": st.booleans() | inner,
            "anyOf": st.lists(inner, max_size=2),
        },
    ),
    max_leaves=6,
)
tool = st.builds(ToolSpec, name=names, description=text, parameters=schema)
call = st.builds(ToolCall, id=st.sampled_from(["call_1", "call_2", ""]), name=names, arguments=body)
content = st.none() | text | body.map(json.dumps) | value.map(json.dumps)
message = st.builds(
    Message,
    role=st.sampled_from(["system", "user", "assistant", "tool"]),
    content=content,
    tool_calls=st.lists(call, max_size=2).map(tuple),
    tool_call_id=st.sampled_from([None, "call_1", "call_2", ""]),
)
trajectory = st.builds(
    Trajectory, tools=st.lists(tool, max_size=3).map(tuple), messages=st.lists(message, max_size=10).map(tuple)
)
evidence = st.builds(
    Evidence, text=st.none() | text, extraction=st.sampled_from([None, make_record().outputs["extract"]])
)


@given(trajectory, evidence)
@settings(max_examples=400, deadline=None)
def test_no_trajectory_makes_a_check_raise(case, known):
    for finding in run_checks(case, known):
        assert finding.kind
        assert finding.message_index is None or 0 <= finding.message_index < max(1, len(case.messages))
        assert len(finding.detail) < 1000


@given(schema, value)
@settings(max_examples=600, deadline=None)
def test_the_validator_says_what_the_reference_implementation_says(made, given_value):
    written = json.dumps(made, sort_keys=True)
    ours, made = validator(written), json.loads(written)
    checker = Draft202012Validator.FORMAT_CHECKER
    try:
        Draft202012Validator.check_schema(made, format_checker=checker)
    except SchemaError:
        assert ours.fault
        assert not ours.fits(given_value)
        return
    if "$ref" in written:  # the reference implementation looks for the target only when it is used
        return
    assert not ours.fault
    # `format` differs in what the two know; nothing else may.
    if "format" not in written:
        assert ours.fits(given_value) == Draft202012Validator(made).is_valid(given_value)
        assert ours.fits(given_value) == (not list(ours.faults(given_value)))
