"""What an endpoint says about a batch may have any type: an `EndpointError`, or what can be read of it."""

import json
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from gem_tasks.errors import EndpointError, ErrorClass
from gem_tasks.llm.batch.anthropic import AnthropicBatches
from gem_tasks.llm.batch.client import BatchClient
from gem_tasks.llm.batch.gemini import GeminiBatches
from gem_tasks.llm.batch.mistral import MistralBatches
from gem_tasks.llm.batch.protocol import BatchState

CLIENTS = [BatchClient, AnthropicBatches, GeminiBatches, MistralBatches]
STATE = BatchState(batch_id="b", status="completed", files=("f",), input_file="i")


@asynccontextmanager
async def answering(kind):
    """A client of this kind, a list whose last entry is what its endpoint answers, and the paths that were asked."""
    answers, asked = [], []

    async def answer(request):
        await request.read()
        asked.append(request.path)
        return web.Response(body=answers[-1], content_type="application/json")

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    async with TestServer(app) as server, kind(str(server.make_url("/v1")), None) as client:
        yield client, answers, asked


@pytest.mark.parametrize("kind", CLIENTS)
async def test_an_answer_about_a_batch_of_another_form_is_an_endpoint_error(kind, tmp_path):
    path = tmp_path / "part.jsonl"
    path.write_bytes(b"{}\n")
    odd = [b"[]", b"5", b'"text"', b"<html>", b"", b"[" * 100_000, b'{"id":' + b"9" * 5000 + b"}"]
    no_ids = [b'{"id":5,"name":5}', b'{"id":"","name":""}', b'{"id":"\\ud800","name":"\\ud800"}']
    climbing = [b'{"id":"../admin","name":"../admin"}', b'{"id":"a?b","name":"a/b/c"}', b'{"id":"..","name":"a/.."}']
    async with answering(kind) as (client, answers, _):
        for body in (*odd, *no_ids, *climbing):
            answers.append(body)
            with pytest.raises(EndpointError) as caught:
                await client.submit(path, "key")
            assert caught.value.error_class is ErrorClass.SERVER_ERROR, body
        for body in odd:
            answers.append(body)
            if not (kind is GeminiBatches and not body):  # no answer: it does not exist
                with pytest.raises(EndpointError):
                    await client.state("b")
            await client.forget(STATE)


STATES = {
    BatchClient: {"id": "b", "status": "failed", "input_file_id": "i",
                  "request_counts": {"total": "many", "failed": -1},
                  "errors": {"data": [5, {"line": "x", "code": 7, "message": "a\ud800"}]}},
    AnthropicBatches: {"processing_status": "in_progress", "request_counts": {"succeeded": "many", "errored": None}},
    GeminiBatches: {"metadata": {"state": "FAILED", "batchStats": {"requestCount": "many", "failedRequestCount": 1e9}},
                    "error": {"code": {}, "message": []}},
    MistralBatches: {"status": "FAILED", "total_requests": "many", "errors": [5, {"message": "a\ud800"}]},
}  # fmt: skip


@pytest.mark.parametrize("kind", CLIENTS)
async def test_of_an_odd_state_what_can_be_read_is_read(kind):
    async with answering(kind) as (client, answers, _):
        answers.append(json.dumps(STATES[kind]).encode())
        state = await client.state("b")
    assert state.status == ("in_progress" if kind is AnthropicBatches else "failed")
    assert (state.total, state.completed, state.failed) == (0, 0, 0)
    assert state.error in ("", "a\ufffd")
    assert state.model_dump_json()


async def test_one_odd_batch_in_a_list_hides_no_other():
    async with answering(BatchClient) as (client, answers, _):
        listed = [5, {"metadata": 5}, {"id": "ours", "metadata": {"gem_key": "key"}}]
        answers.append(json.dumps({"data": listed}).encode())
        assert await client.find("key") == "ours"


async def test_a_list_without_an_end_is_read_up_to_a_bound():
    async with answering(BatchClient) as (client, answers, asked):
        answers.append(json.dumps({"data": [{"id": "other"}] * 400, "has_more": True}).encode())
        assert await client.find("key") is None
    assert len(asked) == 3


async def test_one_odd_result_of_gemini_hides_no_other():
    fine = {"metadata": {"key": "a"}, "response": {"candidates": [{"content": {"parts": [{"text": "fine"}]}}]}}
    results = [5, {"metadata": 5}, {"metadata": {"key": 5}}, {"metadata": {"key": "b"}, "error": {"code": {}}}, fine]
    async with answering(GeminiBatches) as (client, answers, _):
        answers.append(json.dumps({"response": {"inlinedResponses": {"inlinedResponses": results}}}).encode())
        found = {line.custom_id: line.result async for line in client.lines(STATE)}
    assert isinstance(found["b"], EndpointError)
    assert found["a"].text == "fine"
