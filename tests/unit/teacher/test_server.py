"""The teacher speaks the OpenAI protocol, also about what is wrong with a request, and misbehaves only on demand."""

import asyncio
import os
import re
import signal
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context

import aiohttp
import pytest
from aiohttp import web

from gem_tasks import prompts
from gem_tasks.teacher.answers import UnknownTask, answer
from gem_tasks.teacher.faults import HEADER, Faults
from gem_tasks.teacher.server import MODEL, Workers, make_app
from gem_tasks.teacher.spoil import Answer
from tests.teacher_cases import TEXT, sections

URL = "http://teacher/v1/chat/completions"


@pytest.fixture
async def serve(tmp_path):
    """Starts the application on a unix socket; gives a client."""
    cleanups = []

    async def start(api_key="", pool=lambda: ThreadPoolExecutor(2), faults=""):
        runner = web.AppRunner(make_app(Workers(pool), api_key, faults), shutdown_timeout=0.1)
        await runner.setup()
        path = str(tmp_path / f"{len(cleanups)}.sock")
        await web.UnixSite(runner, path).start()
        client = aiohttp.ClientSession(connector=aiohttp.UnixConnector(path=path))
        cleanups.extend((client.close, runner.cleanup))
        return client

    yield start
    for cleanup in cleanups:
        await cleanup()


def question(name="filter", **changes):
    messages = [message.model_dump(include={"role", "content"}) for message in prompts.load(name).messages(text=TEXT)]
    return {"model": MODEL, "messages": messages, **changes}


async def post(client, body, **options):
    async with client.post(URL, json=body, **options) as response:
        return response.status, await response.json(), response.headers


async def test_a_completion_has_the_shape_of_the_protocol(serve):
    status, body, _ = await post(await serve(), question())
    assert status == 200
    assert body["object"] == "chat.completion" and body["model"] == MODEL and body["id"] and body["created"]
    (choice,) = body["choices"]
    assert choice["finish_reason"] == "stop"
    assert choice["message"]["role"] == "assistant" and "<multi_step>" in choice["message"]["content"]
    usage = body["usage"]
    assert usage["prompt_tokens"] > 500 and usage["completion_tokens"] > 5
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]


async def test_it_names_its_model_and_its_health(serve):
    client = await serve()
    async with client.get("http://teacher/v1/models") as response:
        assert [model["id"] for model in (await response.json())["data"]] == [MODEL]
    async with client.get("http://teacher/health") as response:
        assert await response.json() == {"status": "ok"}


async def test_max_tokens_cuts_the_answer_and_says_so(serve):
    _, body, _ = await post(await serve(), question("extract", max_tokens=10))
    assert body["choices"][0]["finish_reason"] == "length"
    assert body["usage"]["completion_tokens"] == 10


async def test_content_may_come_in_parts(serve):
    client, whole = await serve(), question()
    parts = question()
    for message in parts["messages"]:
        message["content"] = [{"type": "text", "text": message["content"]}]
    answers = [(await post(client, body))[1]["choices"][0]["message"] for body in (whole, parts)]
    assert answers[0] == answers[1]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ([1], 400, "invalid_request"),
        ({"model": MODEL}, 400, "invalid_request"),
        ({"model": MODEL, "messages": []}, 400, "invalid_request"),
        ({"model": MODEL, "messages": "hello"}, 400, "invalid_request"),
        ({"model": MODEL, "messages": [{"content": "no role"}]}, 400, "invalid_request"),
        ({"model": MODEL, "messages": [{"role": "user", "content": "What is the weather?"}]}, 400, "invalid_request"),
        (question(max_tokens="many"), 400, "invalid_request"),
        (question(stream=True), 400, "unsupported_parameter"),
        (question(model="gpt-5"), 404, "model_not_found"),
    ],
)
async def test_a_bad_request_is_told_what_is_wrong(serve, body, status, code):
    got, answered, _ = await post(await serve(), body)
    assert (got, answered["error"]["code"]) == (status, code)
    assert answered["error"]["message"] and answered["error"]["type"] == "invalid_request_error"


async def test_what_is_no_json_is_a_bad_request(serve):
    client = await serve()
    for data in (b"", b"{", b"\xff\xfe", b"[" * 100_000):
        async with client.post(URL, data=data) as response:
            assert response.status == 400


async def test_a_key_is_demanded_where_one_is_set(serve):
    client = await serve(api_key="right")
    assert (await post(client, question()))[0] == 401
    assert (await post(client, question(), headers={"Authorization": "Bearer wrong"}))[0] == 401
    assert (await post(client, question(), headers={"Authorization": "Bearer right"}))[0] == 200
    async with client.get("http://teacher/health") as response:
        assert response.status == 200


async def test_a_dead_worker_costs_one_answer_and_no_more(serve):
    pids = []

    def pool():
        made = ProcessPoolExecutor(1, mp_context=get_context("forkserver"))
        pids.append(made.submit(os.getpid).result())
        return made

    client = await serve(pool=pool)
    assert (await post(client, question()))[0] == 200
    os.kill(pids[0], signal.SIGKILL)
    statuses = [(await post(client, question()))[0] for _ in range(2)]
    assert statuses[-1] == 200 and set(statuses) <= {200, 503}
    assert len(pids) == 2


async def test_health_answers_while_answers_are_made(serve):
    client = await serve(pool=lambda: ThreadPoolExecutor(1))
    busy = asyncio.create_task(post(client, question(), headers={HEADER: "latency_s=30"}))
    async with asyncio.timeout(5), client.get("http://teacher/health") as response:
        assert response.status == 200
    busy.cancel()


async def test_faults_come_on_demand_by_query_or_header_or_from_the_start(serve):
    client = await serve()
    options = {"headers": {HEADER: "rate_429=1&retry_after_s=3"}}
    status, body, headers = await post(client, question(), **options)
    assert (status, headers["Retry-After"], body["error"]["code"]) == (429, "3", "rate_limit_exceeded")
    async with client.post(f"{URL}?rate_5xx=1", json=question()) as response:
        assert response.status in {500, 502, 503}
    assert (await post(client, question()))[0] == 200
    faulty = await serve(faults="rate_502=1")
    assert (await post(faulty, question()))[0] == 502
    assert (await post(faulty, question(), headers={HEADER: "rate_502=0"}))[0] == 200


@pytest.mark.parametrize("status", [500, 502, 503])
async def test_server_errors_can_be_told_apart(serve, status):
    assert (await post(await serve(), question(), headers={HEADER: f"rate_{status}=1"}))[0] == status


async def test_a_429_need_not_say_when_to_come_back(serve):
    _, _, headers = await post(await serve(), question(), headers={HEADER: "rate_429=1"})
    assert "Retry-After" not in headers


async def test_a_connection_can_break_and_a_request_can_hang(serve):
    client = await serve()
    with pytest.raises(aiohttp.ClientError):
        await post(client, question(), headers={HEADER: "rate_reset=1"})
    with pytest.raises(TimeoutError):
        await post(client, question(), headers={HEADER: "rate_hang=1"}, timeout=aiohttp.ClientTimeout(total=0.3))


async def test_a_slow_drip_arrives_whole_and_late(serve):
    started = asyncio.get_running_loop().time()
    status, body, _ = await post(await serve(), question(), headers={HEADER: "rate_drip=1&drip_s=0.4"})
    assert (status, body["choices"][0]["finish_reason"]) == (200, "stop")
    assert asyncio.get_running_loop().time() - started >= 0.35


async def test_a_refusal_has_its_own_field(serve):
    _, body, _ = await post(await serve(), question(), headers={HEADER: "rate_refused=1"})
    message = body["choices"][0]["message"]
    assert message["content"] is None and message["refusal"]


async def test_latencies_scatter_around_the_median_and_are_reproducible():
    async def latencies(seed):
        found = []
        for number in range(40):
            faults = Faults.asked({"latency_s": "1", "latency_sigma": "0.5", "seed": seed}, "", [("u", f"l{number}")])
            found.append(faults._latency_s())
        return found

    drawn = await latencies("1")
    assert 0.5 < sorted(drawn)[20] < 1.5
    assert max(drawn) > 1.5 > 0.7 > min(drawn)


async def test_a_request_meets_the_same_fates_in_the_same_order_under_the_same_seed():
    async def fates(seed):
        asked = [Faults.asked({"rate_429": "0.5", "seed": seed}, "", [("user", f"fates {seed}")]) for _ in range(20)]
        return [await fate.before() is None for fate in asked]

    first, other = await fates("1"), await fates("2")
    assert first != other
    assert {True, False} == set(first), "a retry must be able to succeed"


def test_options_that_are_no_numbers_are_left_out():
    faults = Faults.asked({"rate_malformed": "often", "rate_truncated": "nan", "seed": "²"}, "rate_429=inf", [])
    assert faults.after("<a>", 10) == Answer("<a>")


def spoilt(option, text="<a>b</a>"):
    return Faults.asked({option: "1"}, "", []).after(text, 10**6)


def test_spoilt_answers_are_cut_or_lose_their_tags_or_their_content():
    assert spoilt("rate_truncated", "x" * 10) == Answer("xxxxx", "length")
    assert spoilt("rate_malformed") == Answer("<a]b</a]")
    assert spoilt("rate_empty") == Answer("")
    assert spoilt("rate_refused").text is None and spoilt("rate_refused").refusal
    assert not spoilt("rate_language").text.isascii()


def test_a_made_up_argument_is_one_that_nobody_said_and_of_its_kind():
    text = answer([(message.role, message.content) for message in prompts.load("generate").messages(**sections())])
    wrong = spoilt("rate_hallucinated", text).text
    assert wrong != text
    (made_up,) = set(re.findall(r"QZ-\d{7}|(?<![\d.])\d{7}(?!\d)", wrong)) - set(re.findall(r"\d{7}", text))
    assert made_up not in text
    assert spoilt("rate_hallucinated", "<a>no call</a>") == Answer("<a>no call</a>")


@pytest.mark.parametrize(
    ("name", "mark"),
    [("filter", "<multi_step>"), ("extract", "<workflow>"), ("generate", "<trajectory>"), ("refine", "<toolsets>"),
     ("validate", '"R1"')],
)  # fmt: skip
def test_the_stage_is_known_by_the_form_of_answer_asked_for(name, mark):
    messages = [(message.role, message.content) for message in prompts.load(name).messages(text=TEXT)]
    assert mark in answer(messages)


def test_a_repair_is_answered_like_the_first_question():
    messages = [(message.role, message.content) for message in prompts.load("extract").messages(text=TEXT)]
    again = [*messages, ("assistant", "broken"), ("user", prompts.load("repair").text)]
    assert answer(again) == answer(messages)


def test_what_no_rule_answers_is_refused():
    with pytest.raises(UnknownTask):
        answer([("system", "You are a pirate."), ("user", "Hello")])
