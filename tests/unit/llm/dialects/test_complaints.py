"""Complaints in many wordings, envelopes and languages: each teaches the one thing that helps."""

import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gem_tasks.domain.chat import ChatMessage, ChatRequest, Sampling
from gem_tasks.errors import ErrorClass
from gem_tasks.llm.dialects.complaints import adapt, parameter_of, still_thought
from gem_tasks.llm.dialects.dialect import OFF_SWITCHES, PLAIN, Dialect, shape_of, speak, spoken
from gem_tasks.llm.responses.classify import from_status
from gem_tasks.llm.responses.envelope import read_complaint

SCHEMA = {
    "type": "object",
    "properties": {"minItems": {"type": "array", "items": {"enum": [0, 1]}, "minItems": 1}},
    "required": ["minItems"],
    "additionalProperties": False,
}


def request(**sampling):
    messages = (ChatMessage(role="system", content="s"), ChatMessage(role="user", content="u"))
    return ChatRequest(model="m", messages=messages, sampling=Sampling(**sampling), answer_schema=SCHEMA)


ASKED = request(temperature=0.3, max_tokens=20000)
LOW = request(max_tokens=20000, reasoning_effort="low")
OFF = request(temperature=0.3, max_tokens=20000, reasoning_effort="off", insisted=frozenset({"reasoning_effort"}))

RENAMED, COOL = {"limit": "max_completion_tokens"}, {"dropped": ("temperature",)}
WORDINGS = [
    ("Unsupported parameter: 'max_tokens' is not supported. Use 'max_completion_tokens' instead.", RENAMED),
    ("Use 'max_completion_tokens' instead of 'max_tokens'.", RENAMED),
    ("property `max_tokens` is unsupported, did you mean `max_completion_tokens`?", RENAMED),
    ("参数max_tokens不支持，请使用max_completion_tokens", RENAMED),
    ("This model supports at most 16384 completion tokens, whereas max_tokens was 20000.", {"most": 16384}),
    ("max_tokens: 20000 > 8192, which is the maximum allowed number of output tokens for m", {"most": 8192}),
    ("max_tokens: the valid range is [1, 8192]", {"most": 8192}),
    ("max_tokens参数非法：取值范围[1,8192]，当前值20000", {"most": 8192}),
    ("max_tokens不能超过8192", {"most": 8192}),
    ("max_tokens must be between 1 and 8,192", {"most": 8192}),
    ("The value of maxOutputTokens must be in the range from 1 (inclusive) to 8193 (exclusive).", {"most": 8192}),
    ("The maximum tokens you requested exceeds the model limit of 4096.", {"most": 4096}),
    ("max_tokens (20000) is larger than this model's limit (4096)", {"most": 4096}),
    ("max_tokens is too large", {"most": 10000}),
    ("Unsupported value: 'temperature' does not support 0.3. Only the default (1) value is supported.", COOL),
    ("invalid temperature: only 1 is allowed for this model", COOL),
    ("`temperature` is deprecated for this model.", COOL),
    ("`temperature` may only be set to 1 when thinking is enabled or in adaptive mode.", COOL),
    ("litellm.UnsupportedParamsError: m does not support parameters: ['temperature'], for model=m.", COOL),
    ("该模型不支持temperature参数", COOL),
    ("'response_format.type' must be 'text'", {"form": "json_object"}),
    ("Input validation error: grammar is not supported", {"form": "json_object"}),
    ("response_format.type参数非法", {"form": "json_object"}),
    ("This model does not support structured outputs.", {"form": "json_object"}),
    ("Invalid schema for response_format 'answer': minItems is not supported", {"form": "loose_schema"}),
    ("response_format: 'additionalProperties' is not permitted", {"form": "loose_schema"}),
    ("This model only support stream mode, please enable it", {"stream": True}),
    ("parameter.enable_thinking must be set to false for non-streaming calls", {"stream": True}),
    ("仅支持流式输出", {"stream": True}),
    ("System role not supported", {"fold_system": True}),
    ("Conversation roles must alternate user/assistant/user/assistant/...", {"fold_system": True}),
    ("Role 'system' is not supported by this model.", {"fold_system": True}),
]  # fmt: skip


def in_every_envelope(text, param=None, code=None):
    """The six envelopes, and a seventh: what llama-cpp-python writes of its own validation."""
    error = {"message": text, "type": "invalid_request_error", "param": param, "code": code}
    items = list(error.items())
    random.Random(text).shuffle(items)
    nested = {
        "error": {
            "message": f"litellm.BadRequestError: OpenAIException - {json.dumps({'error': error})}",
            "code": "400",
        }
    }
    bodies = [
        {"error": error}, {"error": dict(items)},
        [{"error": {"code": 400, "message": text, "status": "INVALID_ARGUMENT"}}],
        {"object": "error", **error, "code": 400}, {"error": text, "error_type": "validation"}, {"error": text},
        {"type": "error", "error": {"type": "invalid_request_error", "message": text}, "request_id": "req_2048"},
        nested, {"detail": text}, {"message": text},
    ]  # fmt: skip
    return [*map(json.dumps, bodies), *(json.dumps(body, ensure_ascii=False, indent=2) for body in bodies), text]


@pytest.mark.parametrize(("text", "change"), WORDINGS)
def test_a_complaint_teaches_the_same_in_every_envelope(text, change):
    for body in in_every_envelope(text):
        error = from_status(400, {}, "\n\n: queued\n" + body)
        assert error.error_class is ErrorClass.BAD_REQUEST, body
        assert adapt(PLAIN, ASKED, error.complaint) == PLAIN.model_copy(update=change), body


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("'reasoning_effort' does not support 'low'. Supported values are: 'medium', 'high'.", ("medium", "high")),
        ("Input should be 'medium' or 'high'; reasoning_effort was 'low'", ("medium", "high")),
        ("reasoning_effort must be one of `none` or `default`", ("none",)),
        ("'none', 'high' are the values of reasoning_effort", ("none", "high")),
        ("Invalid reasoning.effort: allowed values: none, medium", ("none", "medium")),
    ],
)  # fmt: skip
def test_words_for_an_effort_are_read_wherever_they_stand(text, known):
    for body in in_every_envelope(text):
        assert adapt(PLAIN, LOW, read_complaint(body)).efforts == known, body


def switches(dialect):
    names = ("reasoning_effort", "chat_template_kwargs", "thinking", "enable_thinking")
    return {name: value for name, value in spoken(OFF, dialect).items() if name in names}


def test_the_switches_that_turn_thinking_off_are_tried_one_after_the_other():
    dialect, found = PLAIN, []
    for _ in OFF_SWITCHES:
        found.append(switches(dialect))
        dialect = still_thought(dialect)
    template = {"enable_thinking": False, "thinking": False}
    assert found == [
        {"reasoning_effort": "none"},
        {"reasoning_effort": "none", "chat_template_kwargs": template},
        {"thinking": {"type": "disabled"}},
        {"enable_thinking": False},
        {"reasoning_effort": "low"},
    ]
    assert still_thought(dialect) == dialect
    assert json.loads(speak(OFF, PLAIN))["reasoning_effort"] == "none"
    assert shape_of(OFF, PLAIN) != shape_of(OFF, dialect)


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        # A strict endpoint knows one switch; no other is tried.
        ("unsupported_value: 'reasoning_effort' does not support 'none'. Supported values are: 'low', 'high'.",
         {"reasoning_effort": "low"}),
        ("Unrecognized request argument supplied: reasoning_effort", {}),
        ("property 'reasoning_effort' is unsupported", {}),
        # A lenient one that lists its words may have another switch.
        ("reasoning_effort: Input should be 'low', 'medium' or 'high'",
         {"chat_template_kwargs": {"enable_thinking": False, "thinking": False}}),
        ('think value "none" is not supported for this model', {"reasoning_effort": "low"}),
        ("Reasoning is mandatory for this endpoint and cannot be disabled.", {"reasoning_effort": "low"}),
        ("Request contains an invalid argument.", {"reasoning_effort": "low"}),
        # One that names its own is told with that.
        ("parameter.enable_thinking must be set to false for non-streaming calls", {"enable_thinking": False}),
    ],
)  # fmt: skip
def test_a_refused_off_ends_in_what_the_endpoint_takes(text, sent):
    for body in in_every_envelope(text):
        assert switches(adapt(PLAIN, OFF, read_complaint(body))) == sent, body


def test_a_refused_switch_is_not_sent_again():
    dialect = still_thought(PLAIN)
    refused = read_complaint(json.dumps([{"error": {"code": 400, "message": 'Unknown name "chat_template_kwargs"'}}]))
    assert switches(adapt(dialect, OFF, refused)) == {"reasoning_effort": "low"}
    forced = read_complaint('{"error": {"message": "invalid thinking: it cannot be disabled"}}')
    assert switches(adapt(still_thought(dialect), OFF, forced)) == {"reasoning_effort": "low"}


def test_a_loose_schema_keeps_names_and_types():
    wanted = spoken(ASKED, Dialect(form="loose_schema"))["response_format"]["json_schema"]
    assert "strict" not in wanted
    assert wanted["schema"] == {
        "type": "object",
        "properties": {"minItems": {"type": "array", "items": {"enum": [0, 1]}}},
        "required": ["minItems"],
    }


def test_what_was_sent_is_no_complaint():
    """Validators give back what they were given: a text about a budget, a context length, a temperature."""
    echo = "Insufficient balance. content_filter. temperature. maximum context length"
    detail = [
        {"type": "extra_forbidden", "loc": ["body", "seed"], "msg": "Extra inputs are not permitted", "input": echo}
    ]
    for said in (detail, {"detail": detail}):
        error = from_status(422, {}, json.dumps({"object": "error", "message": said}))
        assert (error.error_class, error.complaint.param) == (ErrorClass.BAD_REQUEST, "seed")
        assert parameter_of(error.complaint, ASKED) == "seed"


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (500, {"error": {"message": "1 validation error:\n {'loc': ('body', 'response_format')}"}}, "bad_request"),
        (501, {"error": {"message": "response_format is not implemented"}}, "bad_request"),
        (500, {"error": {"message": "Internal error"}}, "server_error"),
        (301, {}, "server_error"),
        (400, {"error": {"message": "Model Not Exist"}}, "unknown_model"),
        (400, {"error": {"message": "key not allowed to access model. It can access ['a']"}}, "unknown_model"),
        (429, {"error": {"message": "litellm.RateLimitError: {\"code\": \"insufficient_quota\"}", "code": "429"}},
         "no_credit"),
        (429, {"error": {"message": "x: {\"code\": \"1113\", \"message\": \"y\"}", "code": "429"}}, "no_credit"),
        (429, {"error": {"code": 1113}}, "no_credit"),
        (429, {"error": {"code": "1302"}}, "rate_limited"),
        (400, {"error": {"code": 1301}}, "refused"),
        (403, {"error": {"code": 403, "metadata": {"flagged_input": "x"}}}, "refused"),
        (403, {"error": {"message": "您的账户余额不足"}}, "no_credit"),
        (429, {"error": {"code": "insufficient_quota", "message": "allocated quota exceeded"}}, "rate_limited"),
    ],
)  # fmt: skip
def test_more_words_before_statuses(status, body, expected):
    assert from_status(status, {}, json.dumps(body)).error_class == expected


WORDS = [
    "max_tokens",
    "temperature",
    "response_format",
    "must be",
    "8192",
    "[1, 5]",
    "'low'",
    "stream",
    "system",
    "\\",
    "{",
    "不",
]


@given(st.lists(st.sampled_from(WORDS) | st.text(max_size=9), max_size=12), st.sampled_from([ASKED, OFF, LOW]))
def test_any_complaint_ends_after_few_changes(words, asked):
    complaint = read_complaint(" ".join(words))
    dialect, changes = PLAIN, 0
    seen = set()
    while (changed := adapt(dialect, asked, complaint)) and changed not in seen:
        seen.add(changed)
        dialect, changes = changed, changes + 1
        assert json.loads(speak(asked, dialect))["messages"]
    assert changes < 40
