"""What an endpoint says about itself: statuses, error bodies, Retry-After, rate limits."""

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from gem_tasks.errors import EndpointError, ErrorClass
from gem_tasks.llm.limits.pacing import wait_s
from gem_tasks.llm.responses.classify import from_status, retry_after_s
from gem_tasks.llm.responses.completions import read_completion


@pytest.mark.parametrize(
    ("status", "code", "expected", "overloaded"),
    [
        (400, "", ErrorClass.BAD_REQUEST, False),
        (400, "context_length_exceeded", ErrorClass.CONTEXT_LENGTH, False),
        (401, "", ErrorClass.AUTH, False),
        (400, "content_filter", ErrorClass.REFUSED, False),
        (402, "", ErrorClass.NO_CREDIT, False),
        (403, "", ErrorClass.FORBIDDEN, False),
        (404, "model_not_found", ErrorClass.UNKNOWN_MODEL, False),
        (408, "", ErrorClass.TIMEOUT, False),
        (429, "rate_limit_exceeded", ErrorClass.RATE_LIMITED, True),
        (429, "insufficient_quota", ErrorClass.NO_CREDIT, False),
        (500, "", ErrorClass.SERVER_ERROR, False),
        (503, "", ErrorClass.SERVER_ERROR, True),
        (529, "", ErrorClass.SERVER_ERROR, True),
    ],
)
def test_every_status_has_its_class(status, code, expected, overloaded):
    body = json.dumps({"error": {"code": code, "message": "because"}})
    error = from_status(status, {}, body)
    assert (error.error_class, error.overloaded) == (expected, overloaded)
    assert "because" in error.detail


@given(st.binary(max_size=200) | st.text(max_size=50).map(json.dumps) | st.just("[" * 100_000))
def test_any_error_body_is_classified(body):
    assert from_status(500, {}, body).error_class is ErrorClass.SERVER_ERROR


def test_retry_after_in_all_its_forms():
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    assert retry_after_s({"retry-after": "7"}) == 7
    assert retry_after_s({"retry-after": "0.5"}) == 0.5
    assert retry_after_s({"retry-after": "9", "retry-after-ms": "250"}) == 0.25
    assert 25 < retry_after_s({"retry-after": later}) <= 30
    assert retry_after_s({"retry-after": "Fri, 01 Jan 2016 00:00:00 GMT"}) == 0
    assert retry_after_s({}) is None
    assert retry_after_s({"retry-after": "soon"}) is None
    assert retry_after_s({"retry-after": "²"}) is None


def limits(**values):
    return CIMultiDict({f"X-RateLimit-{name.replace('_', '-')}": value for name, value in values.items()})


def test_announced_limits_are_waited_for_no_longer_than_needed():
    assert wait_s(CIMultiDict(), 1000) == 0
    assert wait_s(limits(remaining_requests="5", remaining_tokens="2000", reset_tokens="10s"), 1000) == 0
    assert wait_s(limits(remaining_requests="0", reset_requests="6m0s"), 10) == 360
    assert wait_s(limits(remaining_requests="0", reset_requests="20ms"), 10) == pytest.approx(0.02)
    # 60,000 a minute fill at 1,000 a second: 500 more are there in half a second, though full is a minute away.
    filling = limits(remaining_tokens="500", limit_tokens="60000", reset_tokens="59.5s")
    assert wait_s(filling, 1000) == pytest.approx(0.5)
    assert wait_s(limits(remaining_tokens="lots", reset_tokens="soon"), 10) == 0


GOOD = {"choices": [{"message": {"content": "hi"}, "finish_reason": "stop"}], "usage": None}


def test_missing_and_null_fields_are_no_reason_to_lose_an_answer():
    completion = read_completion(json.dumps(GOOD).encode(), 1.5)
    assert (completion.text, completion.finish_reason, completion.latency_s) == ("hi", "stop", 1.5)
    assert completion.usage.completion_tokens == 0


def test_usage_is_read_in_full():
    usage = {
        "prompt_tokens": 10, "completion_tokens": 7, "prompt_tokens_details": {"cached_tokens": 4},
        "completion_tokens_details": {"reasoning_tokens": 5},
    }  # fmt: skip
    found = read_completion(json.dumps(GOOD | {"usage": usage}).encode(), 0).usage
    assert (found.prompt_tokens, found.cached_tokens, found.completion_tokens, found.reasoning_tokens) == (10, 4, 7, 5)


def test_a_refusal_is_told_apart_from_an_answer():
    message = {"content": None, "refusal": "I will not."}
    completion = read_completion(json.dumps({"choices": [{"message": message, "finish_reason": "stop"}]}).encode(), 0)
    assert (completion.text, completion.finish_reason) == ("I will not.", "content_filter")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["choices", "message", "content", "usage", "finish_reason"]), inner)
    ),
    max_leaves=12,
)


@given(JSON.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=60))
def test_whatever_a_server_sends_is_an_answer_or_one_class_of_error(body):
    try:
        read_completion(body, 0)
    except EndpointError as error:
        assert error.error_class is ErrorClass.SERVER_ERROR
