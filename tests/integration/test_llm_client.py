"""The client over real HTTP against an endpoint that does everything wrong that endpoints do."""

import asyncio
import time

import pytest
from aiohttp import web

from gem_tasks.errors import EndpointError, ErrorClass
from gem_tasks.llm import client as client_module
from gem_tasks.llm.dialects.memory import Memory, remembered
from gem_tasks.store import open_store
from tests.integration.endpoint import answer, client_for, failing, request, serving


@pytest.fixture(autouse=True)
def short_waits(monkeypatch):
    monkeypatch.setattr(client_module, "_FIRST_WAIT_S", 0.01)


async def complete(script, asked=None, **options):
    async with serving(script) as (endpoint, url), client_for(url, **options) as client:
        try:
            return await client.complete(asked or request()), endpoint
        except EndpointError as error:
            return error, endpoint


async def test_a_call_sends_the_request_and_the_key_and_reads_the_answer():
    completion, endpoint = await complete(lambda number, body: answer("hi", prompt_tokens_details={"cached_tokens": 4}))
    assert (completion.text, completion.calls, completion.model) == ("hi", 1, "m")
    assert completion.usage.cached_tokens == 4
    assert endpoint.requests[0]["messages"] == [{"role": "user", "content": "hello"}]
    assert endpoint.headers[0]["Authorization"] == "Bearer secret-key"


@pytest.mark.parametrize(
    ("first", "error_class"),
    [
        (lambda: failing(429), ErrorClass.RATE_LIMITED),
        (lambda: failing(500), ErrorClass.SERVER_ERROR),
        (lambda: failing(503), ErrorClass.SERVER_ERROR),
        (lambda: "reset", ErrorClass.CONNECTION),
        (lambda: web.Response(text="<html>gateway</html>"), ErrorClass.SERVER_ERROR),
        (lambda: {"choices": []}, ErrorClass.SERVER_ERROR),
    ],
)
async def test_what_passes_is_asked_again_and_accounted_for(first, error_class):
    completion, endpoint = await complete(lambda number, body: first() if number < 3 else answer())
    assert completion.text == "fine"
    assert completion.faults == {error_class: 2}
    assert completion.calls == len(endpoint.requests) == 3


@pytest.mark.parametrize(
    ("reply", "error_class"),
    [
        (lambda: failing(400), ErrorClass.BAD_REQUEST),
        (lambda: failing(400, "context_length_exceeded"), ErrorClass.CONTEXT_LENGTH),
        (lambda: failing(401), ErrorClass.AUTH),
        (lambda: failing(404), ErrorClass.UNKNOWN_MODEL),
    ],
)
async def test_what_stays_wrong_is_asked_once(reply, error_class):
    error, endpoint = await complete(lambda number, body: reply())
    assert error.error_class is error_class
    assert error.calls == len(endpoint.requests) == 1


async def test_a_redirect_is_not_followed_but_says_where_the_endpoint_is():
    moved = {"Location": "http://127.0.0.1:1/steal"}
    error, _ = await complete(lambda number, body: web.Response(status=307, headers=moved), max_attempts=1)
    assert error.error_class is ErrorClass.SERVER_ERROR
    assert "moved to http://127.0.0.1:1/steal" in error.detail


async def test_giving_up_says_what_every_request_met():
    replies = [failing(429), failing(500), "reset", failing(500), failing(502)]
    error, endpoint = await complete(lambda number, body: replies[number - 1])
    assert error.faults == {ErrorClass.RATE_LIMITED: 1, ErrorClass.SERVER_ERROR: 3, ErrorClass.CONNECTION: 1}
    assert len(endpoint.requests) == 5  # a 429 does not count against the four attempts


async def test_nobody_listening_is_a_connection_fault():
    async with client_for("http://127.0.0.1:1/v1", max_attempts=2) as client:
        with pytest.raises(EndpointError) as caught:
            await client.complete(request())
    assert caught.value.faults == {ErrorClass.CONNECTION: 2}


async def test_a_hung_request_is_given_up_and_asked_again():
    async def script(number, body):
        if number == 1:
            await asyncio.sleep(60)
        return answer()

    completion, _ = await complete(script, timeout_s=0.3)
    assert completion.faults == {ErrorClass.TIMEOUT: 1}


async def test_with_answers_to_go_by_a_hung_request_costs_seconds_not_minutes():
    async def script(number, body):
        if body["messages"][0]["content"] == "hang" and number == 61:
            await asyncio.sleep(600)
        return answer()

    async with serving(script) as (_, url), client_for(url, timeout_s=600) as client:
        await asyncio.gather(*(client.complete(request(str(number))) for number in range(60)))
        started = time.monotonic()
        completion = await client.complete(request("hang", max_tokens=8192))
    assert completion.faults == {ErrorClass.TIMEOUT: 1}
    assert time.monotonic() - started < 10


async def test_a_slow_drip_is_a_timeout_too():
    completion, _ = await complete(lambda number, body: "drip" if number == 1 else answer(), timeout_s=0.4)
    assert completion.faults == {ErrorClass.TIMEOUT: 1}


async def test_retry_after_is_honoured():
    started = time.monotonic()
    completion, _ = await complete(lambda number, body: failing(429, Retry_After="1") if number == 1 else answer())
    assert time.monotonic() - started >= 1
    assert completion.faults == {ErrorClass.RATE_LIMITED: 1}


async def test_an_announced_limit_is_not_run_into():
    """After the headers say that nothing is left, the next request comes when they say it may."""
    times = []

    def script(number, body):
        times.append(time.monotonic())
        headers = {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "400ms"}
        return web.json_response(answer(), headers=headers)

    async with serving(script) as (_, url), client_for(url, concurrency=1) as client:
        for _ in range(3):
            await client.complete(request())
    assert min(times[1] - times[0], times[2] - times[1]) >= 0.35


async def test_a_refusal_that_announces_when_there_will_be_room_holds_everybody_that_long():
    """OpenAI's 429 for tokens per minute: no Retry-After, but the bucket's state."""
    times = []

    def script(number, body):
        times.append(time.monotonic())
        if number > 1:
            return answer()
        names = {"x_ratelimit_remaining_tokens": "0", "x_ratelimit_reset_tokens": "700ms"}
        return failing(429, **names)

    async with serving(script) as (_, url), client_for(url, concurrency=1) as client:
        await asyncio.gather(client.complete(request("a")), client.complete(request("b")))
    assert min(times[1:]) - times[0] >= 0.65


async def test_never_more_in_flight_than_the_ceiling():
    async def script(number, body):
        await asyncio.sleep(0.02)
        return answer()

    async with serving(script) as (endpoint, url), client_for(url, concurrency=7) as client:
        await asyncio.gather(*(client.complete(request()) for _ in range(60)))
    assert endpoint.most == 7
    assert len(endpoint.requests) == 60


async def test_a_query_in_the_base_url_goes_with_every_request():
    async with (
        serving(lambda number, body: answer()) as (endpoint, url),
        client_for(f"{url}?api-version=2026-01-01") as client,
    ):
        await client.complete(request())
    assert endpoint.queries == [{"api-version": "2026-01-01"}]


async def test_the_key_is_in_no_error():
    error, _ = await complete(lambda number, body: failing(401))
    assert "secret-key" not in str(error) + repr(error)


SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"], "additionalProperties": False}


async def ask_with_schema(script, store, calls=5):
    async with serving(script) as (endpoint, url), client_for(url, memory=Memory(store, url)) as client:
        asked = [request(str(number)).model_copy(update={"answer_schema": SCHEMA}) for number in range(calls)]
        return await asyncio.gather(*(client.complete(each) for each in asked)), endpoint


@pytest.fixture
def store(tmp_path):
    return open_store(str(tmp_path / "store"))


async def test_an_endpoint_that_can_is_held_to_the_schema(store):
    answers, endpoint = await ask_with_schema(lambda number, body: answer(), store)
    formats = [body["response_format"] for body in endpoint.requests]
    wanted = {"name": "answer", "strict": True, "schema": SCHEMA}
    assert formats == [{"type": "json_schema", "json_schema": wanted}] * 5
    assert sum(completion.calls for completion in answers) == 5


async def test_an_endpoint_that_cannot_is_asked_once_and_that_is_remembered(store):
    def script(number, body):
        return failing(400) if "response_format" in body else answer()

    answers, endpoint = await ask_with_schema(script, store)
    assert sum("response_format" in body for body in endpoint.requests) == 1
    assert sum(completion.calls for completion in answers) == 6
    (known,) = remembered(store)
    assert endpoint.headers[0]["Host"] in known.endpoint
    assert (known.model, known.dialect.form) == ("m", "text")


async def test_a_request_that_is_bad_with_and_without_the_schema_says_nothing_about_it(store):
    with pytest.raises(EndpointError) as caught:
        await ask_with_schema(lambda number, body: failing(400), store, calls=1)
    assert caught.value.faults == {ErrorClass.BAD_REQUEST: 2}
    assert remembered(store) == []
