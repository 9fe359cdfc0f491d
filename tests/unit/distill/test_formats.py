"""Each framework's form, held against what its own loader reads, and that no word of a conversation is lost."""

import json

import pytest

from gem_tasks.distill import formats

CALL = {"id": "call_1", "type": "function", "function": {"name": "find", "arguments": '{"q": "ä"}'}}
OTHER = {"id": "call_2", "type": "function", "function": {"name": "count", "arguments": "{}"}}
MESSAGES = [
    {"role": "system", "content": "Rules."},
    {"role": "user", "content": "Hello"},
    {"role": "assistant", "content": "One moment.", "tool_calls": [CALL, OTHER]},
    {"role": "tool", "content": '{"n": 1}', "tool_call_id": "call_1"},
    {"role": "tool", "content": '{"n": 2}', "tool_call_id": "call_2"},
    {"role": "assistant", "content": None, "tool_calls": [CALL]},
    {"role": "tool", "content": "[]", "tool_call_id": "call_1"},
    {"role": "assistant", "content": "Done."},
]
TOOLS = [{"type": "function", "function": {"name": "find", "description": "Finds", "parameters": {"type": "object"}}}]


def words(row):
    return json.dumps(row, ensure_ascii=False)


@pytest.mark.parametrize("name", formats.FORMATS)
def test_no_word_is_lost(name):
    row = formats.FORMATS[name](MESSAGES, TOOLS)
    for said in ("Rules.", "Hello", "One moment.", "Done.", "find", "count", "ä", "Finds"):
        assert said in words(row)


def test_trl_has_tools_as_a_json_string_and_never_null_for_content():
    row = formats.trl(MESSAGES, TOOLS)
    assert json.loads(row["tools"]) == TOOLS
    assert all(isinstance(message["content"], str) for message in row["messages"])


def test_trl_has_arguments_as_objects_and_axolotl_as_the_strings_that_it_decodes():
    for form, wanted in ((formats.trl, {"q": "ä"}), (formats.axolotl, '{"q": "ä"}')):
        call = form(MESSAGES, TOOLS)["messages"][2]["tool_calls"][0]
        assert call == {"id": "call_1", "type": "function", "function": {"name": "find", "arguments": wanted}}


def test_sharegpt_alternates_and_keeps_text_beside_a_call_for_the_next_answer():
    row = formats.sharegpt(MESSAGES, TOOLS)
    turns = row["conversations"]
    assert [turn["from"] for turn in turns] == [
        "human", "function_call", "observation", "function_call", "observation", "gpt"
    ]  # fmt: skip
    assert json.loads(turns[1]["value"]) == [
        {"name": "find", "arguments": {"q": "ä"}},
        {"name": "count", "arguments": {}},
    ]
    assert turns[2]["value"] == '{"n": 1}\n</tool_response>\n<tool_response>\n{"n": 2}'
    assert turns[-1]["value"] == "One moment.\n\nDone."
    assert row["system"] == "Rules."


def test_sharegpt_refuses_what_llama_factory_would_silently_skip():
    assert formats.sharegpt(MESSAGES[:-1], TOOLS) is None


def test_swift_has_a_message_per_call():
    row = formats.ms_swift(MESSAGES, TOOLS)
    assert [message["role"] for message in row["messages"]] == [
        "system", "user", "assistant", "tool_call", "tool_call", "tool_response", "tool_response",
        "tool_call", "tool_response", "assistant",
    ]  # fmt: skip
    assert json.loads(row["messages"][3]["content"]) == {"name": "find", "arguments": {"q": "ä"}}


def test_verl_has_role_and_content_only():
    row = formats.verl(MESSAGES, TOOLS)
    assert all(set(message) == {"role", "content"} for message in row["messages"])
    assert [message["role"] for message in row["messages"]] == [
        "system", "user", "assistant", "user", "assistant", "user", "assistant"
    ]  # fmt: skip
    assert row["messages"][3]["content"].count("<tool_response>") == 2


def test_a_synthesizers_pair_fits_every_form():
    pair = [*MESSAGES[:2], {"role": "assistant", "content": "<toolsets>[]</toolsets>"}]
    for convert in formats.FORMATS.values():
        assert convert(pair, []) is not None
