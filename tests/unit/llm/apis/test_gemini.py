"""Gemini's own form of requests, answers and errors, from and to that of chat completions."""

import pytest

from gem_tasks.llm.apis.gemini import answer_of, request_of, status_of

SCHEMA = {"type": "object"}
MESSAGES = [
    {"role": "system", "content": "Rules."},
    {"role": "user", "content": "Ask."},
    {"role": "assistant", "content": "Say."},
]


def test_a_request_keeps_what_was_asked_and_what_the_user_added():
    form = {"type": "json_schema", "json_schema": {"schema": SCHEMA}}
    given = {
        "messages": MESSAGES, "max_tokens": 90, "temperature": 0.5, "reasoning_effort": "low",
        "response_format": form, "safetySettings": [],
    }  # fmt: skip
    assert request_of(given) == {
        "systemInstruction": {"parts": [{"text": "Rules."}]},
        "contents": [
            {"role": "user", "parts": [{"text": "Ask."}]},
            {"role": "model", "parts": [{"text": "Say."}]},
        ],
        "generationConfig": {
            "maxOutputTokens": 90, "temperature": 0.5, "responseMimeType": "application/json",
            "responseJsonSchema": SCHEMA, "thinkingConfig": {"thinkingLevel": "LOW"},
        },
        "safetySettings": [],
    }  # fmt: skip
    assert given["messages"] == MESSAGES


@pytest.mark.parametrize(
    ("effort", "config"),
    [("none", {"thinkingBudget": 0}), ("xhigh", {"thinkingLevel": "HIGH"}), ("medium", {"thinkingLevel": "MEDIUM"})],
)
def test_effort_is_a_level_or_no_budget(effort, config):
    found = request_of({"messages": MESSAGES[1:], "max_completion_tokens": 9, "reasoning_effort": effort})
    assert found["generationConfig"] == {"maxOutputTokens": 9, "thinkingConfig": config}
    assert "systemInstruction" not in found


def test_json_without_a_schema_is_a_type_only():
    found = request_of({"messages": MESSAGES, "max_tokens": 9, "response_format": {"type": "json_object"}})
    assert found["generationConfig"] == {"maxOutputTokens": 9, "responseMimeType": "application/json"}


def test_an_answer_has_its_thoughts_apart_and_its_tokens():
    found = answer_of(
        {
            "modelVersion": "gemini-x",
            "candidates": [
                {"finishReason": "MAX_TOKENS", "content": {"parts": [{"text": "hm", "thought": True}, {"text": "Yes"}]}}
            ],
            "usageMetadata": {
                "promptTokenCount": 7,
                "thoughtsTokenCount": 2,
                "candidatesTokenCount": 3,
                "cachedContentTokenCount": 4,
            },
        }
    )
    (choice,) = found["choices"]
    assert choice == {"message": {"content": "Yes", "reasoning_content": "hm"}, "finish_reason": "length"}
    assert found["usage"]["prompt_tokens_details"] == {"cached_tokens": 4}
    assert (found["usage"]["prompt_tokens"], found["usage"]["completion_tokens"]) == (7, 5)


@pytest.mark.parametrize(
    ("candidate", "reason"),
    [
        ([], "safety"),
        ([{"finishReason": "SPII"}], "content_filter"),
        ([{"finishReason": "MALFORMED_FUNCTION_CALL"}], "error"),
        ([{}], ""),
    ],
)
def test_an_answer_without_words_has_the_reason(candidate, reason):
    (choice,) = answer_of({"candidates": candidate})["choices"]
    assert choice == {"message": {"content": "", "reasoning_content": ""}, "finish_reason": reason}


@pytest.mark.parametrize(
    ("error", "status"),
    [({"code": 8}, 429), ({"code": 404}, 404), ({"code": 2}, 500), ({}, 500), ("no object", 500), ({"code": "x"}, 500)],
)
def test_codes_of_grpc_and_of_http_are_statuses(error, status):
    assert status_of(error) == status
