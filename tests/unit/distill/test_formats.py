"""Each framework's form, held against what its own loader reads, and that no word of a conversation is lost."""

import json

import pytest

from gem_tasks.distill.formats import FORMATS, Conversation, side_files

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
CONVERSATION = Conversation(MESSAGES, TOOLS, {"trajectory_id": "t1", "teacher": {"refine": "a-model"}})


def words(row):
    return json.dumps(row, ensure_ascii=False)


@pytest.mark.parametrize("name", [name for name in FORMATS if name != "steps"])
def test_no_word_is_lost(name):
    row = FORMATS[name](CONVERSATION)
    for said in ("Rules.", "Hello", "One moment.", "Done.", "find", "count", "ä", "Finds"):
        assert said in words(row)


def test_trl_has_tools_as_a_json_string_and_never_null_for_content():
    row = FORMATS["trl"](CONVERSATION)
    assert json.loads(row["tools"]) == TOOLS
    assert all(isinstance(message["content"], str) for message in row["messages"])


def test_trl_has_arguments_as_objects_and_axolotl_as_the_strings_that_it_decodes():
    for name, wanted in (("trl", {"q": "ä"}), ("axolotl", '{"q": "ä"}'), ("nemo", '{"q": "ä"}')):
        call = FORMATS[name](CONVERSATION)["messages"][2]["tool_calls"][0]
        assert call == {"id": "call_1", "type": "function", "function": {"name": "find", "arguments": wanted}}


def test_sharegpt_alternates_and_keeps_text_beside_a_call_for_the_next_answer():
    row = FORMATS["sharegpt"](CONVERSATION)
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
    assert FORMATS["sharegpt"](Conversation(MESSAGES[:-1], TOOLS)) is None


def test_swift_has_a_message_per_call():
    row = FORMATS["ms-swift"](CONVERSATION)
    assert [message["role"] for message in row["messages"]] == [
        "system", "user", "assistant", "tool_call", "tool_call", "tool_response", "tool_response",
        "tool_call", "tool_response", "assistant",
    ]  # fmt: skip
    assert json.loads(row["messages"][3]["content"]) == {"name": "find", "arguments": {"q": "ä"}}


def test_verl_has_role_and_content_only():
    row = FORMATS["verl"](CONVERSATION)
    assert all(set(message) == {"role", "content"} for message in row["messages"])
    assert [message["role"] for message in row["messages"]] == [
        "system", "user", "assistant", "user", "assistant", "user", "assistant"
    ]  # fmt: skip
    assert row["messages"][3]["content"].count("<tool_response>") == 2


def test_a_synthesizers_pair_fits_every_form():
    pair = [*MESSAGES[:2], {"role": "assistant", "content": "<toolsets>[]</toolsets>"}]
    for name, convert in FORMATS.items():
        assert name == "steps" or convert(Conversation(pair, []))


def test_llama_factory_gets_calls_as_text_in_either_formatting():
    """Under `formatting: openai` it would dump `tool_calls` with arguments that are JSON strings already."""
    row = FORMATS["llamafactory-openai"](CONVERSATION)
    tags = json.loads(side_files("llamafactory-openai")["dataset_info.json"])["gem"]["tags"]
    assert [message["role"] for message in row["messages"]] == [
        "system", "user", "function_call", "tool", "function_call", "tool", "assistant"
    ]  # fmt: skip
    assert {message["role"] for message in row["messages"]} == {tags[f"{name}_tag"] for name in (
        "system", "user", "assistant", "function", "observation"
    )}  # fmt: skip
    assert json.loads(row["messages"][2]["content"])[0]["arguments"] == {"q": "ä"}
    assert all(set(message) == {"role", "content"} for message in row["messages"])
    assert row["messages"][-1]["content"] == "One moment.\n\nDone."


def test_atif_has_results_with_their_calls_and_numbered_steps():
    row = FORMATS["atif"](CONVERSATION)
    assert [step["step_id"] for step in row["steps"]] == [1, 2, 3, 4, 5]
    assert [step["source"] for step in row["steps"]] == ["system", "user", "agent", "agent", "agent"]
    step = row["steps"][2]
    assert step["tool_calls"][0] == {"tool_call_id": "call_1", "function_name": "find", "arguments": {"q": "ä"}}
    assert [each["source_call_id"] for each in step["observation"]["results"]] == ["call_1", "call_2"]
    assert row["agent"]["model_name"] == "a-model"
    assert row["agent"]["tool_definitions"] == TOOLS
    assert row["trajectory_id"] == "t1"


def test_adp_has_each_call_before_its_observation():
    row = FORMATS["adp"](CONVERSATION)
    kinds = [(each["class_"], each.get("source") or each.get("function", "")) for each in row["content"]]
    assert kinds == [
        ("text_observation", "environment"), ("text_observation", "user"),
        ("api_action", "find"), ("text_observation", "environment"),
        ("api_action", "count"), ("text_observation", "environment"),
        ("api_action", "find"), ("text_observation", "environment"), ("message_action", ""),
    ]  # fmt: skip
    assert row["content"][2] == {
        "class_": "api_action", "function": "find", "kwargs": {"q": "ä"}, "description": "One moment."
    }  # fmt: skip
    assert "description" not in row["content"][4]


@pytest.mark.parametrize(
    ("name", "places"),
    [("trl", [3]), ("axolotl", [3]), ("nemo", [3]), ("sharegpt", [2]), ("llamafactory-openai", [3]),
     ("ms-swift", [5]), ("verl", [3])],
)  # fmt: skip
def test_turns_with_a_tools_error_are_marked_where_the_format_has_them(name, places):
    failing = [{**each, "content": '{"error": "locked"}'} if each.get("content") == '{"n": 1}' else each
               for each in MESSAGES]  # fmt: skip
    row = FORMATS[name](Conversation(failing, TOOLS))
    assert json.loads(row["tool_errors"]) == places
    turns = row.get("conversations") or row["messages"]
    assert "locked" in words(turns[places[0]])
    assert json.loads(FORMATS[name](CONVERSATION)["tool_errors"]) == []


def test_atif_marks_a_tools_error_on_its_result():
    failing = [{**each, "content": "Error: locked"} if each.get("content") == "[]" else each for each in MESSAGES]
    results = [
        each for step in FORMATS["atif"](Conversation(failing, TOOLS))["steps"] if "observation" in step
        for each in step["observation"]["results"]
    ]  # fmt: skip
    assert [each.get("extra") for each in results] == [None, None, {"error": True}]


def test_a_step_is_the_state_before_calls_and_what_was_called():
    first, second = FORMATS["steps"](CONVERSATION)
    assert [len(row["prompt"]) for row in (first, second)] == [2, 5]
    assert json.loads(first["ground_truth"]) == [
        {"name": "find", "arguments": {"q": "ä"}}, {"name": "count", "arguments": {}}
    ]  # fmt: skip
    assert second["prompt"][2]["tool_calls"][0]["function"]["arguments"] == {"q": "ä"}
    assert (second["step"], second["steps"], second["trajectory_id"]) == (2, 2, "t1")
    assert FORMATS["steps"](Conversation(MESSAGES[:2], [])) == []


THOUGHTS = {2: "Both at once.", 5: "Once more.", 7: "Enough."}
THINKING = Conversation(
    [{**each, **({"reasoning_content": THOUGHTS[at]} if at in THOUGHTS else {})} for at, each in enumerate(MESSAGES)],
    TOOLS,
)


@pytest.mark.parametrize("name", ["trl", "axolotl", "nemo"])
def test_a_thought_stands_beside_the_content_where_templates_read_it(name):
    messages = FORMATS[name](THINKING)["messages"]
    assert {
        at: each["reasoning_content"] for at, each in enumerate(messages) if "reasoning_content" in each
    } == THOUGHTS


@pytest.mark.parametrize("name", ["sharegpt", "llamafactory-openai", "ms-swift", "verl"])
def test_a_thought_stands_before_words_or_calls_where_only_the_content_is_read(name):
    row = FORMATS[name](THINKING)
    said = [each.get("content", each.get("value")) for each in row.get("messages", row.get("conversations"))]
    for thought in THOUGHTS.values():
        assert sum(f"<think>\n{thought}\n</think>\n\n" in each for each in said) == 1
        assert all(each.startswith("<think>") for each in said if thought in each)
    assert sum(each.startswith("<think>") for each in said) == len(THOUGHTS)


def test_trajectories_have_thoughts_in_their_own_fields():
    steps = FORMATS["atif"](THINKING)["steps"]
    assert [each["reasoning_content"] for each in steps if "reasoning_content" in each] == [*THOUGHTS.values()]
    told = [each["description"] for each in FORMATS["adp"](THINKING)["content"] if "description" in each]
    assert told == ["Both at once.\n\nOne moment.", "Once more.", "Enough."]


@pytest.mark.parametrize("name", FORMATS)
def test_without_thoughts_there_is_no_trace_of_them(name):
    assert "think" not in words(FORMATS[name](CONVERSATION))
    assert "reasoning" not in words(FORMATS[name](CONVERSATION))
