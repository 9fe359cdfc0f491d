"""Calls of functions: in the endpoint's form, in pieces, in Anthropic's, and as text where an endpoint has no form."""

import json

import pytest

from gem_tasks.domain.chat import ChatMessage, ChatRequest, FunctionCall, Sampling, Toolbox
from gem_tasks.errors import EndpointError, ErrorClass
from gem_tasks.llm.apis import anthropic
from gem_tasks.llm.dialects.complaints import adapt
from gem_tasks.llm.dialects.dialect import PLAIN, Dialect, Speaker, shape_of, spoken
from gem_tasks.llm.responses.classify import from_status
from gem_tasks.llm.responses.completions import read_completion
from gem_tasks.llm.responses.envelope import read_complaint
from gem_tasks.llm.usage.counts import filled_in
from gem_tasks.redaction import know

FIND = {"type": "function", "function": {"name": "find", "description": "Finds.", "parameters": {"type": "object"}}}
CALL = FunctionCall(id="a1", name="find", arguments='{"x": "<1"}')
OTHER = FunctionCall(id="a2", name="find", arguments="{}")
TALK = (
    ChatMessage(role="system", content="s"),
    ChatMessage(role="user", content="u"),
    ChatMessage(role="assistant", content="Both.", tool_calls=(CALL, OTHER)),
    ChatMessage(role="tool", content="1", tool_call_id="a1"),
    ChatMessage(role="tool", content="2", tool_call_id="a2"),
    ChatMessage(role="assistant", content="", tool_calls=(CALL,)),
    ChatMessage(role="tool", content="3", tool_call_id="a1"),
)
ASKED = ChatRequest(
    model="m", messages=TALK, sampling=Sampling(max_tokens=9), conversation="c",
    toolbox=Toolbox(tools=(FIND,), form="FORM"),
)  # fmt: skip
IN_TAGS = [
    {"role": "system", "content": "s\n\nFORM"},
    {"role": "user", "content": "u"},
    {"role": "assistant", "content": 'Both.\n<func>{"name": "find", "arguments": {"x": "\\u003c1"}}</func>'
     '\n<func>{"name": "find", "arguments": {}}</func>'},
    {"role": "user", "content": "<tool>\n1\n</tool>\n<tool>\n2\n</tool>"},
    {"role": "assistant", "content": '<func>{"name": "find", "arguments": {"x": "\\u003c1"}}</func>'},
    {"role": "user", "content": "<tool>\n3\n</tool>"},
]  # fmt: skip
NO_TOOLS = Dialect(dropped=("tools",))


def test_an_endpoint_gets_tools_and_calls_in_its_form():
    body = json.loads(Speaker().speak(ASKED, PLAIN))
    assert body["tools"] == [FIND]
    assert body["messages"][2]["tool_calls"][0] == CALL.to_openai()
    assert body["messages"][3] == {"role": "tool", "content": "1", "tool_call_id": "a1"}
    assert "conversation" not in body


def test_one_without_the_field_gets_tags():
    for body in (spoken(ASKED, NO_TOOLS), json.loads(Speaker().speak(ASKED, NO_TOOLS))):
        assert body["messages"] == IN_TAGS
        assert "tools" not in body
    folded = spoken(ASKED, Dialect(dropped=("tools",), fold_system=True))["messages"]
    assert folded[0] == {"role": "user", "content": "s\n\nFORM\n\nu"}


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (400, "registry.ollama.ai/library/gemma:2b does not support tools"),
        (400, '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set'),
        (404, "No endpoints found that support tool use. To learn more about provider routing, visit the docs."),
        (500, "tools param requires --jinja flag"),
        (400, "Unrecognized request argument supplied: tools"),
        (400, "`tool calling` is not supported with this model"),
        (400, "Function calling is not enabled for this model"),
        (422, "[{'type': 'extra_forbidden', 'loc': ('body', 'tools'), 'msg': 'Extra inputs are not permitted'}]"),
    ],
)
def test_a_refusal_of_tools_teaches_to_write_tags(status, message):
    error = from_status(status, {}, json.dumps({"error": {"message": message}}))
    assert error.error_class is ErrorClass.BAD_REQUEST
    assert adapt(PLAIN, ASKED, error.complaint) == NO_TOOLS


def test_without_tools_a_complaint_that_mentions_them_is_about_something_else():
    plain = ChatRequest(model="m", messages=TALK[:2], sampling=Sampling(temperature=0.3))
    said = read_complaint('{"error": {"message": "tools are fine, temperature is not supported"}}')
    assert adapt(PLAIN, plain, said) == Dialect(dropped=("temperature",))
    assert "tools" not in shape_of(plain)
    assert "tools" in shape_of(ASKED)


def answer(message, reason="tool_calls"):
    return json.dumps({"choices": [{"message": message, "finish_reason": reason}]}).encode()


def test_calls_are_read_as_endpoints_send_them():
    calls = [CALL.to_openai(), {"function": {"name": "find", "arguments": {"x": 1}}}, {"function": {"name": "find"}}]
    found = read_completion(answer({"content": None, "tool_calls": calls}), 0.1)
    assert (found.text, found.finish_reason) == ("", "tool_calls")
    assert found.tool_calls == (
        CALL, FunctionCall(id="", name="find", arguments='{"x": 1}'), FunctionCall(id="", name="find", arguments="{}")
    )  # fmt: skip
    assert read_completion(answer({"content": "x", "tool_calls": None}, "stop"), 0.1).tool_calls == ()
    assert "tool_calls" not in read_completion(answer({"content": "x"}), 0.1).model_dump()


@pytest.mark.parametrize("calls", [[5], [{"id": "a"}], ["x"], 7])
def test_calls_that_are_none_are_a_fault_of_the_endpoint(calls):
    with pytest.raises(EndpointError) as caught:
        read_completion(answer({"content": "x", "tool_calls": calls}), 0.1)
    assert caught.value.error_class is ErrorClass.SERVER_ERROR


def test_a_key_that_an_endpoint_echoes_in_a_call_is_removed():
    know("test", "sk-a-secret-of-the-user")
    arguments = '{"x": "sk-a-secret-of-the-user"}'
    echo = {"id": "a", "function": {"name": "find", "arguments": arguments}}
    assert "secret-of" not in read_completion(answer({"tool_calls": [echo]}), 0.1).model_dump_json()


def test_tokens_of_a_call_count_if_the_endpoint_reports_none():
    found = filled_in(read_completion(answer({"content": None, "tool_calls": [CALL.to_openai()]}), 0.1), ASKED.body)
    assert found.usage.completion_tokens > 3


def streamed(*deltas):
    events = [{"choices": [{"delta": delta}]} for delta in deltas]
    lines = [f"data: {json.dumps(event)}" for event in [*events, {"choices": [{"finish_reason": "tool_calls"}]}]]
    return read_completion("\n\n".join([*lines, "data: [DONE]"]).encode(), 0.1)


def piece(arguments, **more):
    name = {"name": more.pop("name")} if "name" in more else {}
    return {"tool_calls": [{**more, "function": {**name, "arguments": arguments}}]}


@pytest.mark.parametrize(
    "deltas",
    [
        (piece("", index=0, id="a1", name="find"), piece('{"x": ', index=0), piece('"<1"}', index=0),
         piece("{}", index=1, id="a2", name="find")),
        (piece('{"x": "<1"}', index=0, id="a1", name="find"), piece("{}", index=0, id="a2", name="find")),
        (piece('{"x":', id="a1", name="find"), piece(' "<1"}'), piece("{}", id="a2", name="find")),
    ],
    ids=["as usual", "one index for all", "no index"],
)  # fmt: skip
def test_calls_in_pieces_are_joined(deltas):
    assert streamed({"content": "Both."}, *deltas).tool_calls == (CALL, OTHER)


def test_anthropic_gets_blocks():
    body = anthropic.translated(ASKED, PLAIN)
    assert body["tools"] == [{"name": "find", "description": "Finds.", "input_schema": {"type": "object"}}]
    use = {"type": "tool_use", "id": "a1", "name": "find", "input": {"x": "<1"}}
    assert body["messages"][1]["content"] == [{"type": "text", "text": "Both."}, use, use | {"id": "a2", "input": {}}]
    assert body["messages"][2] == {
        "role": "user",
        "content": [
            {"type": "tool_result", "tool_use_id": "a1", "content": [{"type": "text", "text": "1"}]},
            {"type": "tool_result", "tool_use_id": "a2", "content": [{"type": "text", "text": "2"}]},
        ],
    }
    assert body["messages"][3]["content"] == [use]


def test_anthropic_answers_with_blocks_whole_or_in_pieces():
    blocks = [{"type": "text", "text": "Both."}, {"type": "tool_use", "id": "a1", "name": "find", "input": {"x": "<1"}}]
    body = {"content": blocks, "stop_reason": "tool_use", "usage": {"input_tokens": 1, "output_tokens": 1}}
    found = anthropic.read(json.dumps(body).encode(), 0.1)
    assert (found.text, found.tool_calls, found.finish_reason) == ("Both.", (CALL,), "tool_calls")
    use = {"type": "tool_use", "id": "a1", "name": "find", "input": {}}
    events = [
        {"type": "message_start", "message": {"usage": {}}},
        {"type": "content_block_start", "index": 0, "content_block": use},
        *(
            {"type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta", "partial_json": part}}
            for part in ('{"x": ', '"<1"}')
        ),
        {"type": "content_block_start", "index": 1, "content_block": use | {"id": "a2"}},
        {"type": "message_delta", "delta": {"stop_reason": "tool_use"}},
        {"type": "message_stop"},
    ]
    stream = "\n\n".join(f"data: {json.dumps(event)}" for event in events)
    assert anthropic.read(stream.encode(), 0.1).tool_calls == (CALL, OTHER)


def test_a_conversation_is_marked_at_its_end_for_the_cache():
    marking, mark = Dialect(cache_control=True), {"cache_control": {"type": "ephemeral"}}
    long = ChatMessage(role="system", content="Rule. " * 400)
    asked = ASKED.model_copy(update={"messages": (long, *TALK[1:])})
    assert spoken(asked, marking)["messages"][-1]["content"] == [{"type": "text", "text": "3", **mark}]
    (result,) = anthropic.translated(asked, marking)["messages"][-1]["content"]
    assert result == {"type": "tool_result", "tool_use_id": "a1", "content": [{"type": "text", "text": "3"}], **mark}
    once = asked.model_copy(update={"conversation": ""})
    assert spoken(once, marking)["messages"][-1]["content"] == "3"
    assert spoken(ASKED, marking)["messages"][-1]["content"] == "3", "too short"
