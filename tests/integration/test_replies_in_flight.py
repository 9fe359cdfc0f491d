"""What endpoints send has one bound in a process, whichever client reads it, and nothing stays counted."""

import asyncio
import gzip
import json
import traceback

import pytest
from openai import OpenAIError
from pydantic import SecretStr
from yarl import URL

from gem_tasks import replies
from gem_tasks.confine.job import Upstream
from gem_tasks.confine.relay import Relay
from gem_tasks.domain.chat import ChatMessage, ChatRequest
from gem_tasks.errors import EndpointError, ErrorClass
from gem_tasks.llm.batch.client import BatchClient
from gem_tasks.llm.batch.protocol import BatchState
from gem_tasks.llm.client import OpenAIClient
from gem_tasks.llm.http.proxied import ProxiedTransport
from gem_tasks.llm.http.sdk import from_sdk, sdk
from gem_tasks.llm.http.transport import transport_to
from gem_tasks.llm.windows.reading import read_window
from tests.integration.bytes_server import CLOSE, PATH, Server, raw, reply


@pytest.fixture
async def served():
    """Starts a server that answers with a script; gives its base URL."""
    listening = []

    async def start(*script):
        server = Server(script)
        listening.append(await asyncio.start_server(server.handle, "127.0.0.1", 0))
        return f"http://127.0.0.1:{listening[-1].sockets[0].getsockname()[1]}/v1"

    yield start
    for each in listening:
        each.close()


async def hot(url):
    async with transport_to(url, "key") as transport:
        return (await transport.post(PATH, b"{}")).body


async def proxied(url):
    async with ProxiedTransport(URL("http://elsewhere.invalid/v1"), "key", url.removesuffix("/v1")) as transport:
        return (await transport.post(PATH, b"{}")).body


async def official(url):
    async with sdk(url, {"Content-Length": "0"}) as client:
        try:
            return json.dumps(await client.get("/anything", cast_to=object)).encode()
        except OpenAIError as error:
            raise from_sdk(error) from error


async def window(url):
    found = await asyncio.to_thread(read_window, url, None, {"Content-Length": "0"}, "m")
    if found is None:  # it never says why
        raise EndpointError(ErrorClass.CONNECTION, "")
    return json.dumps({"tokens": found.tokens}).encode()


async def relayed(url):
    relay = Relay({"model": Upstream(base_url=url, key=SecretStr("key"))})
    shown = {"authorization": f"Bearer {relay.token}"}
    with replies.Growing() as growing:
        answer = await asyncio.to_thread(relay.ask, "POST", "/model/v1/chat/completions", shown, b"{}", growing)
    relay.client.close()
    status, _, body = answer
    if status != 200:
        raise EndpointError(ErrorClass.CONNECTION, json.loads(body)["error"]["message"])
    return body


CLIENTS = [hot, proxied, official, window, relayed]
LISTED = {"data": [{"id": "m", "max_model_len": 4096}]}


def listed(padding=0):
    return json.dumps({**LISTED, "padding": "x" * padding}).encode()


@pytest.mark.parametrize("ask", CLIENTS)
async def test_a_reply_waits_for_no_other_endpoint_unless_it_is_large(served, ask, monkeypatch):
    monkeypatch.setattr(replies, "MAX_IN_FLIGHT_BYTES", 400_000)
    hostile = await served(raw(b"x" * 460_000, Content_Length=10**6))
    small, large = await served(reply(listed(), Connection="close"), CLOSE), await served(reply(listed(100_000)), CLOSE)
    async with transport_to(hostile, None) as transport, asyncio.timeout(20):
        growing = asyncio.create_task(transport.post(PATH, b"{}"))
        while replies.IN_FLIGHT.size < 390_000:
            await asyncio.sleep(0.01)
        assert await ask(small)
        with pytest.raises(EndpointError) as caught:
            await ask(large)
        assert ask is window or "answers in flight hold more than" in caught.value.detail
        growing.cancel()
        await asyncio.wait([growing])
        assert replies.IN_FLIGHT.size == 0
        assert await ask(large)
    assert replies.IN_FLIGHT.size == 0


@pytest.mark.parametrize("ask", CLIENTS)
async def test_a_packed_reply_is_not_unpacked_without_end(served, ask):
    bomb = gzip.compress(bytes(replies.MAX_BODY_BYTES + 1), mtime=0)
    with pytest.raises(EndpointError) as caught:
        await ask(await served(reply(bomb, Content_Encoding="gzip"), CLOSE))
    assert ask is window or "larger than" in caught.value.detail
    assert replies.IN_FLIGHT.size == 0


@pytest.mark.parametrize("ask", CLIENTS)
async def test_a_packed_reply_is_read(served, ask):
    packed = gzip.compress(listed(), mtime=0)
    found = await ask(await served(reply(packed, Content_Encoding="gzip", Content_Type="application/json"), CLOSE))
    assert json.loads(found) in (LISTED | {"padding": ""}, {"tokens": 4096})


@pytest.mark.parametrize("ask", [official, window])
async def test_json_of_too_many_values_is_not_parsed(served, ask):
    wide = b'{"data":[' + b"{}," * 1_000_001 + b"{}]}"
    with pytest.raises(EndpointError) as caught:
        await ask(await served(reply(wide), CLOSE))
    assert ask is window or "JSON of more than 1000000 values" in caught.value.detail


async def test_a_reply_that_was_of_no_use_is_let_go_before_the_next_try(served):
    packed = gzip.compress(b'{"choices":"' + bytes(20 << 20) + b'"}', mtime=0)
    url = await served(reply(packed, Content_Encoding="gzip"), CLOSE)
    request = ChatRequest(model="m", messages=(ChatMessage(role="user", content="Say something."),))
    async with OpenAIClient(url, None, concurrency=1, timeout_s=20, max_attempts=1, window=32_768) as client:
        with pytest.raises(EndpointError, match="unusable answer") as caught:
            await client.complete(request)
    assert [len(each) for each in kept(caught.value) if len(each) > 1 << 20] == []


def kept(error):
    """The bytes that the tracebacks of an error keep."""
    while error:
        for frame, _ in traceback.walk_tb(error.__traceback__):
            yield from (each for each in frame.f_locals.values() if isinstance(each, bytes | bytearray))
        error = error.__context__


async def test_the_results_of_a_batch_are_read_in_pieces(served):
    answer = {"choices": [{"message": {"content": "fine"}}], "usage": {"prompt_tokens": 9, "completion_tokens": 1}}
    line = json.dumps({"custom_id": "a", "response": {"status_code": 200, "body": answer}}).encode()
    assert await results(served, b"\n" * 1000 + line) == ["a"]
    with pytest.raises(EndpointError, match="results of more than 1000000 lines"):
        await results(served, b"\n" * (2 << 20) + line)


async def results(served, lines):
    url = await served(reply(gzip.compress(lines, mtime=0), Content_Encoding="gzip"), CLOSE)
    state = BatchState(batch_id="b", status="completed", files=("../f",), input_file="i")
    async with BatchClient(url, None, headers={"Content-Length": "0"}) as client:
        return [each.custom_id async for each in client.lines(state)]
