"""Thoughts and their signatures go back to the endpoint with the calls that they led to, as it wrote them."""

import json

import pytest

from gem_tasks.domain.chat import ChatMessage, ChatRequest, Completion, FunctionCall, Sampling, Toolbox
from gem_tasks.errors import EndpointError
from gem_tasks.llm.apis import anthropic
from gem_tasks.llm.dialects.complaints import adapt
from gem_tasks.llm.dialects.dialect import PLAIN, Dialect, Speaker, spoken
from gem_tasks.llm.responses.completions import read_completion
from gem_tasks.llm.responses.envelope import read_complaint
from gem_tasks.redaction import know
from tests.unit.simulate.shop import begun

FIND = {"type": "function", "function": {"name": "find", "description": "Finds.", "parameters": {"type": "object"}}}
SIGNED = {"google": {"thought_signature": "c2ln"}}
WRITTEN = {"id": "a1", "type": "function", "function": {"name": "find", "arguments": "{}"}, "extra_content": SIGNED}
DETAILS = [{"type": "reasoning.text", "text": "Hm.", "signature": "s", "index": 0}]


def reply(**message) -> bytes:
    message = {"content": "I look.", "tool_calls": [WRITTEN]} | message
    return json.dumps({"choices": [{"message": message, "finish_reason": "tool_calls"}]}).encode()


def asked(answer: Completion, **fields) -> ChatRequest:
    messages = (
        ChatMessage(role="system", content="s"),
        ChatMessage(role="user", content="u"),
        ChatMessage(
            role="assistant", content=answer.text, tool_calls=answer.tool_calls, endpoint_fields=answer.endpoint_fields
        ),
        ChatMessage(role="tool", content="1", tool_call_id="a1"),
        ChatMessage(role="assistant", content="There is one."),
        ChatMessage(role="user", content="Thanks."),
    )
    box = Toolbox(tools=(FIND,), form="FORM")
    return ChatRequest(model="m", messages=messages, sampling=Sampling(max_tokens=9), toolbox=box, **fields)


@pytest.mark.parametrize(
    "fields",
    [{"reasoning_content": "Hm."}, {"reasoning": "Hm."}, {"reasoning": "Hm.", "reasoning_details": DETAILS}],
    ids=["DeepSeek", "vLLM", "OpenRouter"],
)
def test_a_message_goes_back_with_the_fields_of_its_endpoint(fields):
    answer = read_completion(reply(**fields), 0.1)
    assert answer.thoughts == "Hm."
    assert json.loads(Speaker().speak(asked(answer), PLAIN))["messages"][2] == {
        "role": "assistant",
        "content": "I look.",
        "tool_calls": [WRITTEN],
        **fields,
    }


def test_pieces_of_a_stream_are_put_together():
    deltas = [
        {"reasoning_content": "H"},
        {"reasoning_content": "m.", "reasoning_details": DETAILS},
        {"tool_calls": [{"index": 0, **WRITTEN}]},
    ]
    events = [{"choices": [{"delta": delta}]} for delta in deltas] + [
        {"choices": [{"delta": {}, "finish_reason": "tool_calls"}]}
    ]
    answer = read_completion(b"".join(b"data: %b\n\n" % json.dumps(event).encode() for event in events), 0.1)
    assert answer.endpoint_fields == {"reasoning_content": "Hm.", "reasoning_details": DETAILS}
    assert answer.tool_calls[0].extra_content == SIGNED


BLOCKS = [
    {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"},
    {"type": "redacted_thinking", "data": "eHg="},
    {"type": "text", "text": "I look."},
    {"type": "tool_use", "id": "a1", "name": "find", "input": {}},
]


def streamed() -> bytes:
    """`BLOCKS` as a stream: the thought and its signature come in pieces, redacted thoughts at once."""
    begun_blocks = [BLOCKS[0] | {"thinking": "", "signature": ""}, BLOCKS[1], BLOCKS[2] | {"text": ""}, BLOCKS[3]]
    deltas = [
        (0, {"type": "thinking_delta", "thinking": "Hm."}),
        (0, {"type": "signature_delta", "signature": "c2ln"}),
        (2, {"type": "text_delta", "text": "I look."}),
        (3, {"type": "input_json_delta", "partial_json": "{}"}),
    ]
    events = [
        {"type": "message_start", "message": {"content": []}},
        *({"type": "content_block_start", "index": at, "content_block": each} for at, each in enumerate(begun_blocks)),
        *({"type": "content_block_delta", "index": at, "delta": delta} for at, delta in deltas),
        {"type": "message_delta", "delta": {"stop_reason": "tool_use"}},
        {"type": "message_stop"},
    ]
    return b"".join(b"event: x\ndata: %b\n\n" % json.dumps(event).encode() for event in events)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_anthropic_gets_its_blocks_before_the_calls(stream):
    whole = json.dumps({"content": BLOCKS, "stop_reason": "tool_use"}).encode()
    answer = anthropic.read(streamed() if stream else whole, 0.1)
    sent = anthropic.translated(asked(answer), Dialect())["messages"]
    assert sent[1] == {"role": "assistant", "content": BLOCKS}
    assert sent[3] == {"role": "assistant", "content": "There is one."}


def test_an_endpoint_that_misses_thoughts_gets_them_with_all_messages():
    bare = asked(read_completion(reply(), 0.1))
    said = {"error": {"message": "The `reasoning_content` in the thinking mode must be passed back to the API."}}
    learnt = adapt(PLAIN, bare, read_complaint(json.dumps(said).encode()))
    assert learnt == Dialect(echo="always")
    found = [message.get("reasoning_content") for message in spoken(bare, learnt)["messages"]]
    assert found == [None, None, "", None, "", None]
    assert adapt(learnt, bare, read_complaint(json.dumps(said).encode())) is None


def test_one_that_refuses_them_gets_none():
    thought = asked(read_completion(reply(reasoning_content="Hm."), 0.1))
    said = {"error": {"message": "property 'messages.2.reasoning_content' is unsupported"}}
    learnt = adapt(PLAIN, thought, read_complaint(json.dumps(said).encode()))
    assert learnt == Dialect(echo="never")
    assert all("reasoning_content" not in message for message in spoken(thought, learnt)["messages"])


def test_as_tagged_text_a_conversation_has_no_thoughts():
    thought = asked(read_completion(reply(reasoning_content="Hm."), 0.1))
    assert "Hm." not in json.dumps(spoken(thought, Dialect(dropped=("tools",))))


def test_a_key_in_these_fields_is_removed():
    know("A", "sk-planted-in-a-thought")
    details = [{"type": "reasoning.text", "text": "Key sk-planted-in-a-thought"}]
    call = WRITTEN | {"extra_content": {"x": "sk-planted-in-a-thought"}}
    answer = read_completion(reply(reasoning_details=details, tool_calls=[call]), 0.1)
    assert "planted" not in answer.model_dump_json()


@pytest.mark.parametrize("odd", [7, [1], {"x": 1}, "", None])
def test_odd_thoughts_do_not_break_an_answer(odd):
    try:
        answer = read_completion(reply(reasoning_details=odd, tool_calls=[WRITTEN | {"extra_content": odd}]), 0.1)
    except EndpointError as error:
        raise AssertionError(f"refused for {odd!r}") from error
    assert answer.tool_calls[0].name == "find"


def test_a_conversation_in_a_world_sends_them_back():
    simulation = begun(native=True)
    call = FunctionCall(id="a1", name="find_order", arguments='{"what": "lamp"}', extra_content=SIGNED)
    simulation.answered(Completion(text="My lamp. Cancel it.", finish_reason="stop"))
    simulation.answered(
        Completion(text="", finish_reason="tool_calls", tool_calls=(call,), endpoint_fields={"reasoning": "Hm."})
    )
    assert simulation.role == "assistant"
    said = simulation.request.to_openai()["messages"][2]
    assert (said["reasoning"], said["tool_calls"][0]["extra_content"]) == ("Hm.", SIGNED)
