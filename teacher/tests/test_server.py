"""The teacher speaks the OpenAI protocol, also about what is wrong with a request, and misbehaves only on demand."""

import asyncio
import os
import signal
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context

import pytest

from gem_tasks import prompts
from offline_teacher.answers import UnknownTask, answer
from offline_teacher.server.app import MODEL
from offline_teacher.server.faults import HEADER
from teacher_cases import TEXT, URL, question


async def post(client, body, **options):
    async with client.post(URL, json=body, **options) as response:
        return response.status, await response.json(), response.headers


async def test_the_protocol_serves_whatever_answers(serve):
    client = await serve(answer=lambda messages: f"{len(messages)} messages, the last from {messages[-1][0]}")
    _, body, _ = await post(client, question())
    assert body["choices"][0]["message"]["content"] == "2 messages, the last from user"


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
        (question(max_tokens=float("inf")), 400, "invalid_request"),
        (question(max_tokens=[1]), 400, "invalid_request"),
        (question(messages=[1]), 400, "invalid_request"),
        (question(messages=[{"role": "user", "content": [1]}]), 400, "invalid_request"),
        (question(messages=[{"role": ["user"], "content": {}}]), 400, "invalid_request"),
        (question(messages={"role": "user"}), 400, "invalid_request"),
        (question(model=[MODEL]), 404, "model_not_found"),
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
