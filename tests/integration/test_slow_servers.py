"""Servers that answer one request after another, and do not notice that a client has gone."""

import asyncio
import json
import re
from contextlib import asynccontextmanager

import pytest

from gem_tasks.domain.chat import ChatMessage, ChatRequest, Sampling
from gem_tasks.domain.evaluation import Endpoint
from gem_tasks.evals.health import require_healthy
from gem_tasks.evals.options import CallsOptions
from gem_tasks.evals.own import client_of
from gem_tasks.llm.client import OpenAIClient
from gem_tasks.llm.limits import deadline

_ANSWER = {"role": "assistant", "content": "Boil the water. Boil the water."}
_REQUEST = ChatRequest(model="m", messages=(ChatMessage(role="user", content="?"),), sampling=Sampling(max_tokens=1))


class _Queue:
    """A server whose answers take a while each, one after another."""

    def __init__(self, seconds, finish_reason):
        self.url, self.waiting, self.peak, self._seconds = "", 0, 0, seconds
        self.limits = []
        body = json.dumps({"choices": [{"message": _ANSWER, "finish_reason": finish_reason}]})
        self._reply = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}"
        self._one = asyncio.Lock()

    async def connected(self, reader, writer):
        try:
            while head := (await reader.readuntil(b"\r\n\r\n")).lower():
                if length := re.search(rb"content-length: *([0-9]+)", head):
                    self.limits.append(json.loads(await reader.readexactly(int(length[1])))["max_tokens"])
                self.waiting += 1
                self.peak = max(self.peak, self.waiting)
                async with self._one:
                    await asyncio.sleep(self._seconds)
                self.waiting -= 1
                writer.write(self._reply.encode())
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()


@asynccontextmanager
async def serving(seconds, finish_reason="stop"):
    queue = _Queue(seconds, finish_reason)
    server = await asyncio.start_server(queue.connected, "127.0.0.1", 0)
    queue.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    yield queue
    server.close()
    while queue.waiting:  # abandoned requests, too
        await asyncio.sleep(0.05)
    await asyncio.sleep(0.1)


async def ask(client, count):
    """The first alone, so that what the endpoint takes is known before the others are sent."""
    async with client:
        await client.complete(_REQUEST)
        answers = await asyncio.gather(*(client.complete(_REQUEST) for _ in range(count)), return_exceptions=True)
    return [each for each in answers if not isinstance(each, Exception)]


def test_requests_that_wait_longer_than_their_limit_make_the_client_send_fewer(monkeypatch):
    """Otherwise all time out, are sent again behind their abandoned twins, and hardly one is ever answered."""
    monkeypatch.setattr(deadline, "_FIRST_TOKEN_S", 0.4)

    async def run():
        async with serving(0.05) as server:
            client = OpenAIClient(server.url, None, concurrency=32, timeout_s=60, max_attempts=4)
            return len(await ask(client, 60))

    assert asyncio.run(run()) == 60


@pytest.mark.parametrize(("alone", "most"), [(True, 1), (False, 4)])
def test_a_server_that_is_known_to_answer_one_after_another_is_asked_one_at_a_time(alone, most):
    async def run():
        async with serving(0.1) as server:
            endpoint = Endpoint(base_url=server.url, model="m", one_at_a_time=alone)
            assert len(await ask(client_of(endpoint, CallsOptions(concurrency=4)), 4)) == 4
            return server.peak

    assert asyncio.run(run()) == most


@pytest.mark.parametrize(("alone", "limits"), [(True, [64, 80]), (False, [1024, 5120, 80, 4176])])
def test_a_model_that_writes_on_and_on_is_asked_for_no_more_where_every_token_takes_long(alone, limits):
    """A model without training ends no answer; elsewhere a cut answer may be one that ended in unseen thoughts."""

    async def run():
        async with serving(0.01, finish_reason="length") as server:
            endpoint = Endpoint(base_url=server.url, model="m", one_at_a_time=alone)
            await asyncio.to_thread(require_healthy, endpoint)
            request = ChatRequest(model="m", messages=_REQUEST.messages, sampling=Sampling(max_tokens=80))
            async with client_of(endpoint, CallsOptions()) as client:
                await client.complete(request)
            return server.limits

    assert asyncio.run(run()) == limits
