"""Anthropic's API from and to chat completions: what is sent, what is read, what complaints mean."""

import json

import pytest

from gem_tasks.domain.chat import ChatMessage, ChatRequest, Sampling
from gem_tasks.errors import Complaint, EndpointError, ErrorClass
from gem_tasks.llm.apis.anthropic import adapt, read, renamed, speak, translated
from gem_tasks.llm.apis.registry import api_of, rooted
from gem_tasks.llm.dialects.dialect import Dialect, spoken
from gem_tasks.llm.dialects.presets import preset_for
from gem_tasks.llm.responses.classify import from_status

LONG = "Classify the text. " * 200
SCHEMA = {"type": "object", "properties": {}, "additionalProperties": False}
USAGE = {"input_tokens": 3, "cache_creation_input_tokens": 5, "cache_read_input_tokens": 7, "output_tokens": 11}


def request(system="short", schema=None, **sampling):
    messages = (
        ChatMessage(role="system", content=system),
        ChatMessage(role="user", content="text"),
        ChatMessage(role="assistant", content="wrong"),
        ChatMessage(role="user", content="again"),
    )
    return ChatRequest(model="m", messages=messages, sampling=Sampling(**sampling), answer_schema=schema)


def test_a_request_has_its_instructions_on_top_and_its_limit_under_its_name():
    found = translated(request(temperature=0.2, max_tokens=9), Dialect(limit="max_completion_tokens", room=100))
    assert found == {
        "model": "m", "max_tokens": 109, "system": [{"type": "text", "text": "short"}], "temperature": 0.2,
        "messages": [
            {"role": "user", "content": "text"}, {"role": "assistant", "content": "wrong"},
            {"role": "user", "content": "again"},
        ],
    }  # fmt: skip


def test_only_instructions_that_are_long_enough_are_marked_for_the_cache():
    marking = Dialect(cache_control=True)
    assert translated(request(), marking)["system"] == [{"type": "text", "text": "short"}]
    (part,) = translated(request(LONG), marking)["system"]
    assert part == {"type": "text", "text": LONG, "cache_control": {"type": "ephemeral"}}
    assert spoken(request(LONG), marking)["messages"][0]["content"] == [part], "as OpenRouter wants it"
    assert preset_for("https://openrouter.ai/api/v1", "anthropic/claude-opus-5").cache_control
    assert not preset_for("https://openrouter.ai/api/v1", "openai/gpt-5").cache_control


def test_effort_is_said_in_the_manner_of_the_model():
    asked = request(reasoning_effort="high", max_tokens=100)
    new = translated(asked, Dialect())
    assert (new["thinking"], new["output_config"]) == ({"type": "adaptive"}, {"effort": "high"})
    off = translated(request(reasoning_effort="off"), Dialect())
    assert off["thinking"] == {"type": "disabled"}
    assert "output_config" not in off
    said = renamed(Complaint("adaptive thinking is not supported on this model", text="adaptive"), asked)
    old = adapt(Dialect(), asked, said)
    found = translated(asked, old)
    assert found["thinking"] == {"type": "enabled", "budget_tokens": 16384}
    assert found["max_tokens"] == 16484
    assert "output_config" not in found


def test_extra_fields_are_those_of_the_messages_api_and_stand_as_they_are():
    own = {"thinking": {"type": "adaptive", "display": "summarized"}, "max_tokens": 7}
    found = translated(request(extra_body=own), Dialect(room=100))
    assert (found["thinking"], found["max_tokens"]) == (own["thinking"], 7)


def test_half_a_character_is_sent_as_an_escape():
    assert b"\\ud83d" in speak(request("half \ud83d"), Dialect())


@pytest.mark.parametrize(
    ("message", "schema", "name"),
    [
        ("`temperature` is deprecated for this model.", None, "temperature"),
        ("`temperature` may only be set to 1 when thinking is enabled or in adaptive mode.", None, "temperature"),
        ('"thinking.type.enabled" is not supported. Use "thinking.type.adaptive"', None, "reasoning_effort"),
        ("output_config.effort: Input should be 'low' or 'high'", SCHEMA, "reasoning_effort"),
        ("output_config.format.schema: 'minItems' is not supported", SCHEMA, "response_format"),
        ("output_config: Extra inputs are not permitted", SCHEMA, "response_format"),
        ("output_config: Extra inputs are not permitted", None, "reasoning_effort"),
        ("system.0.cache_control: Extra inputs are not permitted", None, "cache_control"),
        ("max_tokens: 9 > 8, which is the maximum allowed number of output tokens for m-3", None, "max_tokens"),
        ("messages.0: something else", None, ""),
        ("thinking.display: Input should be 'omitted'", None, ""),
    ],
)  # fmt: skip
def test_a_complaint_is_about_a_field_of_a_chat_completion(message, schema, name):
    own = {"thinking": {"display": "x"}} if "display" in message else {}
    assert renamed(Complaint(message), request(schema=schema, extra_body=own)).param == name


def test_a_limit_above_the_models_is_learned_from_its_complaint():
    text = "max_tokens: 70000 > 64000, which is the maximum allowed number of output tokens for claude-3"
    assert adapt(Dialect(), request(max_tokens=70000), Complaint(text, param="max_tokens", text=text)).most == 64000


def test_efforts_are_learned_from_the_list_that_a_complaint_gives():
    text = "output_config.effort: Input should be 'low', 'medium' or 'high'"
    said = Complaint(text, param="reasoning_effort", text=text)
    assert adapt(Dialect(), request(reasoning_effort="max"), said).efforts == ("low", "medium", "high")


def message(*blocks, reason="end_turn", **usage):
    usage = USAGE | usage
    return {"type": "message", "model": "m-1", "content": list(blocks), "stop_reason": reason, "usage": usage}


def test_an_answer_is_read_with_its_thoughts_and_all_its_tokens():
    thought = {"type": "thinking", "thinking": "Hm.", "signature": "x"}
    hidden = {"type": "redacted_thinking", "data": "x"}
    body = message(thought, hidden, {"type": "text", "text": "a"}, {"type": "text", "text": "b"},
                   output_tokens_details={"thinking_tokens": 4})  # fmt: skip
    found = read(json.dumps(body).encode(), 1.5)
    assert (found.text, found.thoughts, found.finish_reason, found.model, found.latency_s) == (
        "ab", "Hm.", "stop", "m-1", 1.5
    )  # fmt: skip
    usage = found.usage
    assert (usage.prompt_tokens, usage.cached_tokens, usage.cache_write_tokens) == (15, 7, 5)
    assert (usage.completion_tokens, usage.reasoning_tokens) == (11, 4)


@pytest.mark.parametrize(
    ("reason", "read_as"),
    [
        ("max_tokens", "length"), ("model_context_window_exceeded", "length"), ("refusal", "content_filter"),
        ("stop_sequence", "stop"), ("pause_turn", "pause_turn"),
    ],
)  # fmt: skip
def test_why_an_answer_ends_is_read(reason, read_as):
    assert read(json.dumps(message(reason=reason)).encode(), 0).finish_reason == read_as


def events(*found):
    return "".join(f"event: {each['type']}\ndata: {json.dumps(each)}\n\n" for each in found).encode()


START = {"type": "message_start", "message": message(reason=None)}
BLOCK = {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}


def piece(text):
    return {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}}


def test_a_stream_is_put_together():
    end = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 20}}
    body = events(START, {"type": "ping"}, BLOCK, piece("a"), piece("b"), end, {"type": "message_stop"})
    found = read(body, 0)
    assert (found.text, found.usage.completion_tokens, found.usage.prompt_tokens) == ("ab", 20, 15)


def test_a_stream_that_breaks_off_is_no_answer():
    with pytest.raises(EndpointError, match="unusable answer") as raised:
        read(events(START, BLOCK, piece("a")), 0)
    assert raised.value.error_class is ErrorClass.SERVER_ERROR


def test_a_stream_may_end_with_an_error():
    said = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    with pytest.raises(EndpointError) as raised:
        read(events(START, BLOCK, said), 0)
    assert (raised.value.error_class, raised.value.overloaded) == (ErrorClass.SERVER_ERROR, True)
    said["error"]["type"] = "rate_limit_error"
    with pytest.raises(EndpointError) as raised:
        read(events(said), 0)
    assert raised.value.error_class is ErrorClass.RATE_LIMITED


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b"{}", b'{"content": 1}', b'{"content": ["x"]}', b"data: 1\n\n"])
def test_whatever_else_comes_is_an_unusable_answer(body):
    with pytest.raises(EndpointError, match="unusable answer"):
        read(body, 0)


@pytest.mark.parametrize(
    ("status", "error", "found"),
    [
        (400, {"message": "prompt is too long: 9 tokens > 8 maximum"}, "context_length"),
        (400, {"message": "input length and `max_tokens` exceed context limit: 9 + 8 > 10"}, "context_length"),
        (429, {"type": "rate_limit_error", "details": {"error_code": "enforced_spend_limit_reached"}}, "no_credit"),
        (429, {"type": "rate_limit_error", "details": {"error_code": "contract_spend_limit_reached"}}, "no_credit"),
        (429, {"type": "rate_limit_error", "details": {"error_code": "ramp_limit_exceeded"}}, "rate_limited"),
        (402, {"type": "billing_error", "message": "x"}, "no_credit"),
        (404, {"type": "not_found_error", "message": "model: m"}, "unknown_model"),
        (413, {"type": "request_too_large", "message": "x"}, "context_length"),
        (529, {"type": "overloaded_error", "message": "Overloaded"}, "server_error"),
        (504, {"type": "timeout_error", "message": "x"}, "server_error"),
    ],
)  # fmt: skip
def test_errors_are_told_apart(status, error, found):
    body = json.dumps({"type": "error", "error": error, "request_id": "r"})
    assert from_status(status, {}, body).error_class == found


@pytest.mark.parametrize(
    ("url", "asked", "api", "root"),
    [
        ("https://api.anthropic.com/v1", None, "anthropic", "https://api.anthropic.com/v1"),
        ("https://api.anthropic.com", None, "anthropic", "https://api.anthropic.com/v1"),
        ("https://api.anthropic.com/v1", "openai", "openai", "https://api.anthropic.com/v1"),
        ("https://api.z.ai/api/anthropic", None, "anthropic", "https://api.z.ai/api/anthropic/v1"),
        ("https://me.services.ai.azure.com/anthropic/v1/", None, "anthropic", "https://me.services.ai.azure.com/anthropic/v1/"),
        ("https://gateway.corp/v1", None, "openai", "https://gateway.corp/v1"),
        ("https://gateway.corp/v1?team=a", "anthropic", "anthropic", "https://gateway.corp/v1?team=a"),
        ("https://anthropic.corp/v1", None, "openai", "https://anthropic.corp/v1"),
    ],
)  # fmt: skip
def test_an_address_says_which_api_it_has_unless_the_user_does(url, asked, api, root):
    assert api_of(url, asked) == api
    assert rooted(url, api) == root
