"""Replies that lie: whatever an endpoint sends ends as a completion that can be stored, or as one `EndpointError`."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from gem_tasks.domain.chat import Completion, Usage
from gem_tasks.domain.outcome import Cost, Outcome
from gem_tasks.errors import EndpointError
from gem_tasks.lineage.text import storable
from gem_tasks.llm import bounds
from gem_tasks.llm.apis import anthropic, gemini
from gem_tasks.llm.batch.file import read_line
from gem_tasks.llm.limits.pacing import wait_s
from gem_tasks.llm.responses import events
from gem_tasks.llm.responses.classify import from_status, retry_after_s
from gem_tasks.llm.responses.completions import completion, read_completion
from gem_tasks.llm.responses.offered import read_models
from gem_tasks.llm.usage.counts import Trust, at_least, filled_in
from gem_tasks.llm.usage.metered import MeteredClient, UntrueUsageError
from gem_tasks.llm.usage.prices import Price
from gem_tasks.store.shards import decode_outcomes, encode_outcomes
from tests.integration.endpoint import request

SIGNED = {"reasoning_details": [{"data": "x" * 2_000_001}]}
CALL = {"id": "1", "function": {"name": "f", "arguments": "{}"}, "extra_content": {"signature": "x" * 2_000_001}}
HUGE = "a number of five thousand digits"
ODD = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**40), 10**40) | st.floats() | st.just(HUGE)
    | st.text(st.characters(codec=None), max_size=8)
    | st.sampled_from(["\ud800", "\0", "²", "9" * 5000, "text", "error", "thinking", "<think>a</think>b"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["content", "text", "type", "thinking", "error", "message", "code", "detail", "loc", "x"]),
        inner, max_size=3,
    ),
    max_leaves=8,
)  # fmt: skip
COUNT = st.sampled_from(
    [
        None,
        0,
        7,
        -1,
        -(10**9),
        2**63,
        10**30,
        HUGE,
        1.5,
        float("nan"),
        float("inf"),
        "12",
        "9" * 5000,
        "x",
        True,
        [],
        {},
    ]
)
USAGE = st.fixed_dictionaries(
    {},
    optional={
        **{name: COUNT for name in ("prompt_tokens", "completion_tokens", "total_tokens", "cached_tokens")},
        "prompt_tokens_details": st.fixed_dictionaries({}, optional={"cached_tokens": COUNT}) | ODD,
        "completion_tokens_details": st.fixed_dictionaries({}, optional={"reasoning_tokens": COUNT}) | ODD,
    },
)
MESSAGE = st.fixed_dictionaries(
    {}, optional={name: ODD for name in ("content", "reasoning_content", "reasoning", "refusal")}
)
CHOICE = st.fixed_dictionaries(
    {}, optional={"message": MESSAGE | ODD, "delta": MESSAGE | ODD, "finish_reason": ODD, "error": ODD}
)
ANSWER = st.fixed_dictionaries(
    {},
    optional={
        "choices": st.lists(CHOICE | ODD, max_size=2) | ODD,
        "usage": USAGE | ODD, "model": ODD, "error": ODD, "object": ODD,
    },
) | ODD  # fmt: skip


def dumped(value):
    """As an endpoint may write it: numbers of any length, NaN, halves of characters."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(name)}:{dumped(part)}" for name, part in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(dumped, value)) + "]"
    return "1" + "0" * 5000 if value == HUGE else json.dumps(value)


def bodies(value):
    """The answer as JSON, and as a stream of two events."""
    text = dumped(value)
    return text.encode(), f"data: {text}\n\n: comment\ndata: {text}\ndata: [DONE]\n".encode()


@given(ANSWER)
def test_an_answer_is_a_completion_that_can_be_stored_or_an_endpoint_error(value):
    for body in bodies(value):
        try:
            found = filled_in(read_completion(body, 1.0), b"{}" * 100)
        except EndpointError:
            continue
        counts = found.usage.model_dump().values()
        assert all(0 <= count <= 10**8 for count in counts)
        assert found.usage.cached_tokens <= found.usage.prompt_tokens > 0
        assert Completion.model_validate_json(found.model_dump_json()) == found  # the journal
        outcome = Outcome(
            segment_id="s", kind="failed", error_class="malformed", detail=found.finish_reason, raw=found.text,
            cost=Cost().plus(found),
        )  # fmt: skip
        assert next(decode_outcomes(encode_outcomes([outcome]))) == outcome
        for text in (found.text, found.thoughts, found.model, found.finish_reason):
            storable(text).encode()


@given(ANSWER)
def test_a_line_of_a_batch_is_read_or_left_out(value):
    read_line(f'{{"custom_id":"a","response":{{"status_code":200,"body":{dumped(value)}}}}}'.encode())
    read_line(f'{{"custom_id":"a","response":{dumped(value)},"error":{dumped(value)}}}'.encode())


@given(st.integers(100, 599), ANSWER, st.text(max_size=20))
def test_an_error_is_classified_whatever_it_says(status, value, retry):
    error = from_status(status, {"retry-after": retry}, dumped({"error": value}))
    assert isinstance(error, EndpointError)
    storable(error.detail).encode()


HEADER = st.text(max_size=30) | st.sampled_from(
    ["9" * 5000, "9" * 400, "1" * 40_000, "-1", "1e999", "nan", "inf", "0001-01-01T00:00:00",
     "9999-12-31T23:59:59+23:59",     "Mon, 01 Jan 2026 00:00:00 +99999999999999", "Fri, 01 Jan 2027 00:00:00",
     "0001-01-01T00:00:00+14:00", "٣", "\ud800"]
)  # fmt: skip
FORMS = ("x-ratelimit-{}-requests", "x-ratelimit-{}-tokens", "anthropic-ratelimit-tokens-{}", "x-ratelimit-{}")


@given(HEADER, HEADER, HEADER, st.sampled_from(FORMS))
def test_headers_say_how_long_to_wait_or_nothing(remaining, limit, reset, form):
    headers = {form.format("remaining"): remaining, form.format("limit"): limit, form.format("reset"): reset}
    assert 0 <= wait_s(CIMultiDict(headers), 1000) < 1e15
    for name in ("retry-after", "retry-after-ms"):
        assert 0 <= (retry_after_s({name: reset}) or 0) < 1e300


@pytest.mark.parametrize(
    "body", [b"[]", b"null", b"{}", b'{"data":5}', b'{"data":{}}', b"x", b"[" * 10**6, b'{"data":[[],5]}']
)
def test_a_list_of_models_without_any_is_an_error_or_empty(body):
    try:
        assert read_models(body) == []
    except EndpointError as error:
        assert "unusable list of models" in error.detail


def test_entries_without_a_name_are_passed_over():
    rows = [{"id": None}, {"id": 5}, {"id": "a\ud800"}, {}, {"id": "m" * 1000}, {"id": "gpt"}]
    assert read_models(json.dumps({"data": rows}).encode()) == ["a\ufffd", "m" * 200, "gpt"]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"[" + b"{}," * 1_000_001 + b"1]", "values"),
        (b'"' + b"x" * bounds.MAX_JSON_BYTES + b'"', "16 MB"),
        (json.dumps({"choices": [{"message": {"content": "x" * 1_000_001}}]}).encode(), "characters"),
        (json.dumps({"choices": [{"message": {"content": "x", **SIGNED}}]}).encode(), "characters"),
        (
            json.dumps({"choices": [{"finish_reason": "stop", "message": {"tool_calls": [CALL]}}]}).encode(),
            "characters",
        ),
    ],
    ids=["wide", "long", "talkative", "signed", "signed call"],
)
def test_an_answer_without_bounds_is_refused_with_its_reason(body, says):
    for each in (body, b"data: " + body + b"\n"):
        with pytest.raises(EndpointError) as caught:
            read_completion(each, 0.0)
        assert says in str(caught.value.__cause__)


def test_a_stream_keeps_text_only(monkeypatch):
    monkeypatch.setattr(events, "MAX_ANSWER_CHARS", 100)
    event = {
        "choices": [{"delta": {"content": [{"type": "thinking", "thinking": "ab"}, {"type": "text", "text": "c"}, {}]}}]
    }
    line = f"data: {json.dumps(event)}\n".encode()
    end = b'data: {"choices":[{"finish_reason":"stop"}]}\n'
    found = read_completion(line * 20 + end, 0.0)
    assert (found.thoughts, found.text) == ("ab" * 20, "c" * 20)
    with pytest.raises(EndpointError):
        read_completion(line * 40 + end, 0.0)


def test_a_character_that_a_stream_cuts_in_two_is_put_together():
    halves = [json.dumps({"choices": [{"delta": {"content": half}}]}) for half in ("\ud83d", "\ude00", "\ud800")]
    body = "".join(f"data: {half}\n" for half in halves) + "data: [DONE]\n"
    assert read_completion(body.encode(), 0.0).text == "\U0001f600\ufffd"


def answer(**usage):
    return read_completion(json.dumps({"choices": [{"message": {"content": "x" * 400}}], "usage": usage}).encode(), 0.0)


@pytest.mark.parametrize(
    ("usage", "tokens", "fault"),
    [
        ({"prompt_tokens": 120, "completion_tokens": 80}, (120, 80), ""),
        ({"prompt_tokens": "120", "completion_tokens": 80.0}, (120, 80), ""),
        ({}, (251, 101), "missing"),
        ({"prompt_tokens": 0, "completion_tokens": 0}, (251, 101), "missing"),
        ({"prompt_tokens": None, "completion_tokens": 80}, (251, 80), "missing"),
        ({"prompt_tokens": -5, "completion_tokens": 80}, (251, 101), "impossible"),
        ({"prompt_tokens": 10**30, "completion_tokens": 80}, (251, 101), "impossible"),
        ({"prompt_tokens": True, "completion_tokens": 80}, (251, 101), "impossible"),
    ],
)
def test_tokens_are_the_reported_ones_as_far_as_they_can_be_true(usage, tokens, fault):
    found = filled_in(answer(**usage), b"p" * 1000)
    assert (found.usage.prompt_tokens, found.usage.completion_tokens, found.usage_fault) == (*tokens, fault)


def test_more_cached_than_sent_is_no_discount():
    found = answer(prompt_tokens=100, completion_tokens=1, prompt_tokens_details={"cached_tokens": 10**8})
    assert found.usage.cached_tokens == 100
    assert Price(input=1, cached_input=0, output=1)(found.usage) >= 0


def test_a_budget_reckons_with_the_larger_count():
    found = answer(prompt_tokens=10, completion_tokens=5000)
    assert at_least(found, b"p" * 1000) == Usage(prompt_tokens=251, completion_tokens=5000)


class Endpoint:
    """Reports what it is told to."""

    def __init__(self, *replies):
        self.replies, self.calls = replies, 0

    async def complete(self, request):
        self.calls += 1
        return filled_in(answer(**self.replies[min(self.calls, len(self.replies)) - 1]), request.body)


class Purse:
    """Unlimited; keeps what was spent."""

    def __init__(self):
        self.spent = 0.0

    async def reserve(self, usd):
        pass

    def settle(self, reserved, spent):
        self.spent += spent


async def calls(endpoint, allowance, most=100):
    client = MeteredClient(endpoint, Price(input=1_000_000, output=0), allowance)
    for _ in range(most):
        await client.complete(request("word " * 400))


LIE = {"prompt_tokens": -(10**6), "completion_tokens": 1}
SMALL = {"prompt_tokens": 1, "completion_tokens": 1}
TRUE = {"prompt_tokens": 600, "completion_tokens": 100}


@pytest.mark.parametrize(("replies", "before"), [([LIE], 3), ([SMALL], 20), ([{"prompt_tokens": "many"}], 3)])
async def test_usage_that_cannot_be_true_stops_a_run_with_a_budget(replies, before):
    endpoint, purse = Endpoint(*replies), Purse()
    with pytest.raises(UntrueUsageError, match=r"GEM cannot enforce the budget: .* in a row report"):
        await calls(endpoint, purse)
    assert endpoint.calls == before
    assert purse.spent > 400 * before


@pytest.mark.parametrize("replies", [[LIE, LIE, TRUE] * 40, [{}], [SMALL, TRUE] * 60])
async def test_usage_that_is_missing_or_odd_now_and_then_stops_nothing(replies):
    endpoint, purse = Endpoint(*replies), Purse()
    await calls(endpoint, purse)
    assert endpoint.calls == 100
    assert purse.spent > 400 * 100


async def test_without_a_budget_nothing_is_held_against_an_endpoint():
    endpoint = Endpoint(LIE)
    await calls(endpoint, None)
    assert endpoint.calls == 100


@pytest.mark.parametrize("lie", [-7, 10**30, "x", True, [1], 1.5e300, {"a": 1}])
@pytest.mark.parametrize("name", ["input_tokens", "cache_read_input_tokens", "output_tokens"])
def test_an_answer_of_another_api_survives_its_usage(lie, name):
    usage = {"input_tokens": 9, "output_tokens": 9, "cache_read_input_tokens": 9} | {name: lie}
    message = {"content": [{"type": "text", "text": "fine"}], "stop_reason": "end_turn", "usage": usage}
    found = anthropic.read(json.dumps(message).encode(), 0.0)
    assert (found.text, found.usage, found.usage_fault) == ("fine", Usage(), "impossible")


@pytest.mark.parametrize("lie", [-7, 10**30, "x", True, [1], {"a": 1}])
@pytest.mark.parametrize("name", ["promptTokenCount", "thoughtsTokenCount", "candidatesTokenCount"])
def test_an_answer_of_gemini_survives_its_usage(lie, name):
    usage = {"promptTokenCount": 9, "thoughtsTokenCount": 9, "candidatesTokenCount": 9} | {name: lie}
    candidates = [{"content": {"parts": [{"text": "fine"}]}, "finishReason": "STOP"}]
    found = completion(gemini.answer_of({"candidates": candidates, "usageMetadata": usage}))
    assert (found.text, found.usage, found.usage_fault) == ("fine", Usage(), "impossible")


@pytest.mark.parametrize("usage", [[], "x", 7, None])
def test_usage_that_is_no_object_is_missing(usage):
    message = {"content": [{"type": "text", "text": "fine"}], "stop_reason": "end_turn", "usage": usage}
    assert anthropic.read(json.dumps(message).encode(), 0.0).text == "fine"
    candidates = [{"content": {"parts": [{"text": "fine"}]}, "finishReason": "STOP"}]
    assert completion(gemini.answer_of({"candidates": candidates, "usageMetadata": usage})).text == "fine"


@pytest.mark.parametrize(
    ("replies", "verdict"),
    [
        ([LIE], None),
        ([LIE] * 3, "cannot be true: 3 replies in a row report token counts that are negative, huge or not numbers"),
        ([SMALL] * 20, "cannot be true: 20 replies in a row report far fewer prompt tokens than were sent"),
        ([{}] * 3, "not reported: GEM counts tokens itself"),
        ([LIE] * 3 + [TRUE], None),
        ([LIE] * 3 + [TRUE] * 3, ""),
    ],
)
def test_people_are_told_what_is_wrong_with_token_counts(replies, verdict):
    trust, asked = Trust(), request("word " * 400)
    for usage in replies:
        trust.look(asked, filled_in(answer(**usage), asked.body))
    assert trust.verdict == verdict
