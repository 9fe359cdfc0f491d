"""Rows in the forms that the field uses, each made here: the conversation is read, and a sound one has no error."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gem_tasks.domain.workflow import ToolSpec
from gem_tasks.lint import check_rows
from gem_tasks.lint.rows import RowError, read_row
from gem_tasks.lint.tools import renamed
from tests.dataset_rows import (
    CALL,
    FORMS,
    RESULT,
    SAID,
    openai,
    sharegpt,
)


@pytest.mark.parametrize("name", FORMS)
def test_the_same_conversation_is_read_from_every_form(name):
    found = read_row(FORMS[name]())
    spoken = [message for message in found.trajectory.messages if message.role != "system"]
    assert [message.role for message in spoken] == ["user", "assistant", "tool", "assistant"]
    (call,) = spoken[1].tool_calls
    assert (call.name, call.arguments) == ("get_weather", {"city": "Ghent"})
    assert spoken[2].tool_call_id == call.id
    assert (spoken[2].content, spoken[3].content) == (RESULT, SAID)
    assert [tool.parameters["required"] for tool in found.trajectory.tools] == [["city"]]


@pytest.mark.parametrize("name", FORMS)
def test_a_sound_row_has_no_error_in_any_form(name):
    (row,) = check_rows([FORMS[name]()])
    assert [finding for finding in row.findings if finding.severity == "error"] == []


@pytest.mark.parametrize("name", FORMS)
def test_a_wrong_type_is_found_at_its_place_in_every_form(name):
    text = json.dumps(FORMS[name]()).replace("get_weather", "get_wind").replace("Ghent", "Bruges")
    row = json.loads(text.replace('"string"', '"integer"').replace('\\"string\\"', '\\"integer\\"'))
    (found,) = check_rows([row])
    (wrong,) = [finding for finding in found.findings if finding.check == "schema"]
    assert (wrong.kind, wrong.severity, wrong.path) == ("wrong_type", "error", "$.city")
    turns = row.get("messages", row.get("conversations"))
    turns = json.loads(turns) if isinstance(turns, str) else turns or row["prompt"] + row["completion"]
    assert "Bruges" in json.dumps(turns[wrong.message]), "the number is the row's own"


def test_single_turn_rows_of_xlam_are_held_to_their_flat_parameters():
    tools = [{"name": "area", "description": "Area", "parameters": {
        "sides": {"type": "List[int]", "description": "Lengths"},
        "unit": {"type": "str, optional", "description": "Unit", "default": "cm"},
        "type": {"type": "str", "description": "A parameter called type", "default": ""},
    }}]  # fmt: skip
    good = {"id": 7, "query": "How large?", "tools": json.dumps(tools), "answers": json.dumps(
        [{"name": "area", "arguments": {"sides": [3, 4]}}])}  # fmt: skip
    bad = good | {"answers": json.dumps([{"name": "area", "arguments": {"sides": "3, 4"}}])}
    sound, wrong = check_rows([good, bad])
    assert (sound.id, sound.format, [finding.kind for finding in sound.findings if finding.severity == "error"]) == (
        "7", "xlam", [],
    )  # fmt: skip
    assert [(finding.kind, finding.path) for finding in wrong.findings if finding.severity == "error"] == [
        ("wrong_type", "$.sides")
    ]


def test_what_a_form_merely_says_in_other_words_is_a_warning():
    tool = {"name": "math.area", "parameters": {
        "type": "dict", "properties": {"r": {"type": "float", "required": True}}, "required": ["r"]}}  # fmt: skip
    row = openai(json.dumps({"r": 2}))
    row["tools"] = [tool]
    row["messages"][2]["tool_calls"][0]["function"]["name"] = "math.area"
    (found,) = check_rows([row])
    assert {finding.kind for finding in found.findings if finding.check == "format"} == {
        "no_description", "foreign_type", "boolean_required", "tool_name",
    }  # fmt: skip
    assert not [finding for finding in found.findings if finding.check == "schema"]


def test_parallel_calls_of_forms_without_ids_are_answered_in_order():
    row = sharegpt()
    row["conversations"][1]["value"] = json.dumps([CALL, {"name": "get_weather", "arguments": {"city": "Lyon"}}])
    row["conversations"][2]["value"] = f'{RESULT}\n</tool_response>\n<tool_response>\n{{"city": "Lyon", "sky": "sun"}}'
    messages = read_row(row).trajectory.messages
    assert [call.id for call in messages[2].tool_calls] == [messages[3].tool_call_id, messages[4].tool_call_id]
    assert json.loads(messages[4].content)["city"] == "Lyon"


def test_ids_used_again_in_a_later_turn_still_pair():
    row = openai()
    row["messages"] += [{"role": "user", "content": "And in Lyon?"}, *json.loads(json.dumps(row["messages"][2:]))]
    (found,) = check_rows([row])
    assert {(finding.check, finding.severity) for finding in found.findings if "id" in finding.kind} == {
        ("format", "warning")
    }


def test_an_answer_that_is_missing_in_the_middle_is_an_error_in_any_form():
    row = sharegpt()
    del row["conversations"][2]
    (found,) = check_rows([row])
    assert [finding.message for finding in found.findings if finding.kind == "unanswered_call"] == [2]


@pytest.mark.parametrize(
    ("row", "kind", "message"),
    [
        ({"text": "hello"}, "unknown_columns", None),
        ({"messages": "no json"}, "unreadable_turn", 0),
        ({"messages": []}, "unreadable_turn", 0),
        ({"messages": [{"role": "narrator", "content": "…"}]}, "unreadable_turn", 0),
        ({"conversations": [{"from": "human", "value": "a"}, {"from": "function_call", "value": "f(1)"}]},
         "unreadable_turn", 1),
        ({"messages": [{"role": "user", "content": "a"}], "tools": "{broken"}, "unreadable_tools", None),
        ({"messages": [{"role": "user", "content": "a"}], "tools": [{"description": "x"}]}, "unreadable_tools", None),
    ],
)  # fmt: skip
def test_what_holds_no_conversation_says_why(row, kind, message):
    (found,) = check_rows([row])
    (finding,) = found.findings
    assert (finding.check, finding.kind, finding.severity, finding.message) == ("format", kind, "error", message)
    with pytest.raises(RowError):
        read_row(row)


LOST = [
    ({"tool_calls": "x"}, "`tool_calls` are not a list of calls: 'x'"),
    ({"tool_calls": 7}, "`tool_calls` are not a list of calls: '7'"),
    ({"tool_calls": '"get_weather"'}, "`tool_calls` are not a list of calls"),
    ({"function_call": "x"}, "`function_call` is not a call: 'x'"),
    ({"function_call": {"arguments": "{}"}}, "a call has no name"),
    ({"role": "function_call", "content": ""}, "a call is not valid JSON: ''"),
    ({"role": "function_call", "content": None}, "a call is not valid JSON: ''"),
]


@pytest.mark.parametrize(("said", "why"), LOST)
def test_a_call_that_cannot_be_read_is_a_fault_and_not_silence(said, why):
    row = {"messages": [{"role": "user", "content": "Rain?"}, {"role": "assistant", "content": "I look.", **said}]}
    with pytest.raises(RowError, match=re.escape(why)) as fault:
        read_row(row)
    assert (fault.value.kind, fault.value.message) == ("unreadable_turn", 1)


@pytest.mark.parametrize("kind", ["tool_use", "tool_result", "function_call"])
def test_a_part_that_holds_a_call_or_a_result_is_a_fault(kind):
    part = {"type": kind, "name": "get_weather", "input": {}}
    row = {"messages": [{"role": "assistant", "content": [{"type": "text", "text": "I look."}, part]}]}
    with pytest.raises(RowError, match=f"a part of type '{kind}' is not text"):
        read_row(row)


def test_numbers_as_ids_pair_results_with_their_calls():
    calls = [{"id": at, "function": {"name": f"f{at}", "arguments": "{}"}} for at in (1, 2)]
    results = [{"role": "tool", "tool_call_id": at, "content": f"{at}"} for at in (2, 1)]
    turns = [{"role": "user", "content": "Both."}, {"role": "assistant", "content": None, "tool_calls": calls}]
    (_, made, *told) = read_row({"messages": [*turns, *results]}).trajectory.messages
    assert {call.name: call.id for call in made.tool_calls} == {"f1": told[1].tool_call_id, "f2": told[0].tool_call_id}


@pytest.mark.parametrize("none", [None, "", " ", "null", "None", "[]", [], {}])
@pytest.mark.parametrize("column", ["tool_calls", "function_call"])
def test_columns_that_hold_no_call_are_no_fault(column, none):
    turn = {"role": "assistant", "content": "Dry.", column: none}
    (_, said) = read_row({"messages": [{"role": "user", "content": "Rain?"}, turn]}).trajectory.messages
    assert (said.content, said.tool_calls) == ("Dry.", ())


@pytest.mark.parametrize(
    "said",
    [
        {"tool_calls": {"name": "get_weather", "arguments": {}}},
        {"tool_calls": '{"name": "get_weather", "arguments": {}}'},
        {"function_call": '{"name": "get_weather", "arguments": "{}"}'},
        {"function_call": {"name": None, "arguments": None}, "tool_calls": [{"name": "get_weather"}]},
    ],
)
def test_a_single_call_without_a_list_is_read(said):
    row = {"messages": [{"role": "user", "content": "Rain?"}, {"role": "assistant", "content": None, **said}]}
    assert [call.name for call in read_row(row).trajectory.messages[1].tool_calls] == ["get_weather"]


ODD_COLUMNS = [
    ({"system": 7}, "unreadable_turn", "the system prompt is of type int, not text"),
    ({"tools": 7}, "unreadable_tools", "the tools are not a list"),
]


@pytest.mark.parametrize(("columns", "kind", "why"), ODD_COLUMNS)
def test_a_column_of_another_type_is_a_fault_too(columns, kind, why):
    with pytest.raises(RowError, match=why) as fault:
        read_row({"messages": [{"role": "user", "content": "Rain?"}], **columns})
    assert fault.value.kind == kind


def test_the_comparing_checks_run_where_the_source_is_given():
    row = openai() | {"source_text": "Ask for the city before you look up the weather. It takes at most 20 seconds."}
    row["messages"][0]["content"] += " At most 90 seconds."
    (found,) = check_rows([row])
    assert {finding.check for finding in found.findings} & {"fidelity", "policy"}
    assert not {finding.check for finding in next(check_rows([openai()])).findings} & {"fidelity", "policy"}


PLAIN = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8)
JSON = st.recursive(
    PLAIN,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                "role from content value name arguments function tool_calls tool_call_id id parameters type".split()
            )
            | st.text(max_size=4),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)
TURN = st.fixed_dictionaries({"role": st.sampled_from("system user assistant tool tool_call x".split())}, optional={
    "content": JSON, "tool_calls": JSON, "tool_call_id": JSON, "function_call": JSON})  # fmt: skip


@given(
    st.dictionaries(
        st.sampled_from("messages conversations tools system query answers prompt completion extraction".split()),
        JSON | st.lists(TURN, max_size=5) | JSON.map(json.dumps),
    )
)
def test_whatever_a_row_holds_it_gets_one_result(row):
    (found,) = check_rows([row])
    assert json.dumps(found.model_dump())


@pytest.mark.parametrize(
    ("turns", "why"),
    [
        ([{"role": "user", "content": "a"}] * 5001, "the conversation has more than 5,000 messages"),
        ([{"role": "function_call", "content": '{"name": "f"}'}] * 5001, "the conversation has more than 5,000 calls"),
    ],
)
def test_a_row_without_end_is_refused_with_its_reason(turns, why):
    with pytest.raises(RowError, match=why):
        read_row({"messages": turns})


def test_many_tools_of_one_name_get_names_of_their_own_in_one_pass():
    tools = [ToolSpec(name="a b", description="a", parameters={}) for _ in range(5000)]
    taken = ToolSpec(name="a_b_1", description="a", parameters={})
    assert [ours for _, ours in renamed([taken, *tools])][:3] == ["a_b_0", "a_b_2", "a_b_3"]


def test_a_conversation_that_the_checks_did_not_read_is_an_error():
    (found,) = check_rows([{"messages": [{"role": "user", "content": f"a{at}"} for at in range(2001)]}])
    assert [(each.kind, each.severity) for each in found.findings] == [("too_much", "error")]


THOUGHTS = [
    {"content": "Dry.", "reasoning_content": "Look."},
    {"content": "Dry.", "reasoning": "Look."},
    {"content": "Dry.", "thinking": "Look."},
    {"content": "<think>\nLook.\n</think>\n\nDry."},
    {"content": "<think>Look.</think>Dry.", "reasoning_content": "Look."},
    {"content": [{"type": "thinking", "thinking": "Look."}, {"type": "text", "text": "Dry."}]},
]


@pytest.mark.parametrize("said", THOUGHTS)
def test_thoughts_are_read_apart_from_words_in_each_form(said):
    found = read_row({"messages": [{"role": "user", "content": "Rain?"}, {"role": "assistant", **said}]})
    (last,) = found.trajectory.messages[1:]
    assert (last.reasoning, last.content) == ("Look.", "Dry.")


def test_a_thought_in_a_separate_turn_of_a_call_stays_with_the_call():
    call = '<think>Look.</think>{"name": "get_weather", "arguments": {}}'
    turns = [{"from": "human", "value": "Rain?"}, {"from": "function_call", "value": call}]
    last = read_row({"conversations": turns, "tools": []}).trajectory.messages[-1]
    assert (last.reasoning, [made.name for made in last.tool_calls]) == ("Look.", ["get_weather"])


def test_a_thought_that_knows_a_later_result_is_an_open_finding_of_a_row():
    call = {"id": "c", "type": "function", "function": {"name": "get_order", "arguments": "{}"}}
    messages = [
        {"role": "user", "content": "My order?"},
        {"role": "assistant", "content": None, "tool_calls": [call], "reasoning_content": "It is SO-7741."},
        {"role": "tool", "tool_call_id": "c", "content": '{"order_id": "SO-7741"}'},
        {"role": "assistant", "content": "It is SO-7741."},
    ]
    (checked,) = check_rows([{"messages": messages}])
    assert [(each.kind, each.severity, each.message) for each in checked.findings if each.check == "thoughts"] == [
        ("future_id", "open", 1)
    ]
