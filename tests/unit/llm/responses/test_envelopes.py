"""Errors mean what they mean, in all envelopes and whatever the status."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from gem_tasks.errors import EndpointError, ErrorClass
from gem_tasks.llm.limits.pacing import wait_s
from gem_tasks.llm.responses.classify import from_status, retry_after_s
from gem_tasks.llm.responses.completions import read_completion, read_failed


@pytest.mark.parametrize(
    ("body", "message", "param"),
    [
        ({"error": {"message": "m", "param": "temperature"}}, "m", "temperature"),
        ([{"error": {"code": 400, "message": "m", "status": "INVALID_ARGUMENT"}}], "m", ""),
        ({"object": "error", "message": "m", "type": "BadRequestError", "param": None, "code": 400}, "m", ""),
        ({"error": "m", "error_type": "validation"}, "m", ""),
        ({"type": "error", "error": {"type": "invalid_request_error", "message": "m"}, "request_id": "r"}, "m", ""),
        ({"object": "error", "message": {"detail": [{"loc": ["body", "x"], "msg": "m"}]}}, None, "x"),
        ({"detail": [{"loc": ["body", "x"], "msg": "m"}]}, None, "x"),
    ],
)
def test_all_envelopes(body, message, param):
    complaint = from_status(400, {}, ": comment\n\n" + json.dumps(body)).complaint
    assert complaint.param == param
    assert complaint.message == message or (message is None and '"m"' in complaint.message)


@pytest.mark.parametrize(
    ("status", "error", "expected"),
    [
        (429, {"type": "insufficient_quota", "code": "credit_balance_exhausted"}, ErrorClass.NO_CREDIT),
        (429, {"code": "1113"}, ErrorClass.NO_CREDIT),
        (400, {"message": "You have reached your specified API usage limits"}, ErrorClass.NO_CREDIT),
        (400, {"code": "Arrearage"}, ErrorClass.NO_CREDIT),
        (403, {"message": "Insufficient balance"}, ErrorClass.NO_CREDIT),
        (429, {"code": "insufficient_quota", "message": "allocated quota exceeded"}, ErrorClass.RATE_LIMITED),
        (429, {"type": "budget_exceeded"}, ErrorClass.NO_CREDIT),
        (429, {"status": "RESOURCE_EXHAUSTED"}, ErrorClass.RATE_LIMITED),
        (400, {"code": 400, "message": "API key not valid. Please pass a valid API key."}, ErrorClass.AUTH),
        (400, {"code": "data_inspection_failed"}, ErrorClass.REFUSED),
        (400, {"message": "it was considered high risk"}, ErrorClass.REFUSED),
        (400, {"message": "This model's maximum context length is 8 tokens"}, ErrorClass.CONTEXT_LENGTH),
        (422, {"message": "`inputs` tokens + `max_new_tokens` must be <= 8"}, ErrorClass.CONTEXT_LENGTH),
        (404, {"code": "DeploymentNotFound"}, ErrorClass.UNKNOWN_MODEL),
        (404, {"message": "No endpoints found that support temperature"}, ErrorClass.BAD_REQUEST),
        (503, {"status": "UNAVAILABLE"}, ErrorClass.SERVER_ERROR),
        (400, {"message": "odd"}, ErrorClass.BAD_REQUEST),
    ],
)
def test_words_before_statuses(status, error, expected):
    assert from_status(status, {}, json.dumps({"error": error})).error_class is expected


def test_a_402_that_passes_is_waited_for():
    error = from_status(402, {"retry-after": "7"}, "{}")
    assert (error.error_class, error.retry_after_s) == (ErrorClass.RATE_LIMITED, 7)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b': OPENROUTER PROCESSING\n\n{"error": {"code": 502, "message": "down"}}', ErrorClass.SERVER_ERROR),
        (b'{"error": {"code": 429, "message": "slow"}}', ErrorClass.RATE_LIMITED),
        (b'{"error": {"code": 402, "message": "no credit"}}', ErrorClass.NO_CREDIT),
        (b'[{"error": {"code": 503, "status": "UNAVAILABLE"}}]', ErrorClass.SERVER_ERROR),
        (b'{"choices": [{"finish_reason": "error", "message": {"content": ""}}]}', ErrorClass.SERVER_ERROR),
        (b'{"choices": [{"finish_reason": "function_call_filter: MALFORMED_FUNCTION_CALL", "message": {}}]}',
         ErrorClass.SERVER_ERROR),
        (b"data: {\"choices\": [{\"delta\": {\"content\": \"half\"}}]}\n\n", ErrorClass.SERVER_ERROR),
    ],
)  # fmt: skip
def test_a_200_is_not_always_an_answer(body, expected):
    with pytest.raises(EndpointError) as caught:
        read_completion(body, 0)
    assert caught.value.error_class is expected


def test_blank_lines_and_streams_are_read():
    whole = b'\n\n : wait\n\n{"choices": [{"message": {"content": "hi"}, "finish_reason": "stop"}]}'
    assert read_completion(whole, 0).text == "hi"
    stream = (
        b": keep-alive\n\n"
        b'data: {"model": "m", "choices": [{"delta": {"reasoning_content": "hm", "content": ""}}]}\n\n'
        b'data: {"choices": [{"delta": {"content": "h"}}]}\n\ndata: {"choices": [{"delta": {"content": "i"}}]}\r\n\r\n'
        b'data: {"choices": [{"delta": {}, "finish_reason": "stop"}]}\n\n'
        b'data: {"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2}}\n\ndata: [DONE]\n\n'
    )
    found = read_completion(stream, 0)
    assert (found.text, found.thoughts, found.finish_reason, found.model) == ("hi", "hm", "stop", "m")
    assert (found.usage.prompt_tokens, found.usage.completion_tokens) == (3, 2)


def test_waiting_times_in_all_formats():
    later = datetime.now(UTC) + timedelta(seconds=30)
    for text in (
        later.isoformat().replace("+00:00", "Z"),
        str(int(later.timestamp())),
        str(int(later.timestamp() * 1e3)),
    ):
        assert 27 < retry_after_s({"retry-after": text}) <= 30
    assert retry_after_s({"retry-after": "2m59.5s"}) == 179.5
    anthropic = {"anthropic-ratelimit-requests-remaining": "0", "anthropic-ratelimit-requests-reset": later.isoformat()}
    assert 27 < wait_s(anthropic, 10) <= 30
    assert 27 < wait_s({"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(int(later.timestamp() * 1e3))}, 10) <= 30


def test_what_a_model_wrote_is_an_answer_also_when_it_comes_in_an_error():
    error = {"code": "json_validate_failed", "message": "Failed to validate JSON.", "failed_generation": '{"rules": ['}
    assert read_failed(json.dumps({"error": error}).encode(), 1.5).text == '{"rules": ['
    for body in (
        b'{"error": "failed_generation"}',
        b"failed_generation",
        b'{"error": {"failed_generation": null}}',
        b"{}",
    ):
        assert read_failed(body, 1.5) is None
