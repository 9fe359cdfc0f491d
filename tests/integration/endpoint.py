"""A scripted OpenAI-compatible endpoint over real HTTP: each request gets what the script says."""

import asyncio
import json
from contextlib import asynccontextmanager

from aiohttp import web

from gem_tasks.domain.chat import ChatMessage, ChatRequest, Sampling
from gem_tasks.llm.client import OpenAIClient


def answer(text="fine", **usage):
    """The body of a completion."""
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    usage = {"prompt_tokens": 10, "completion_tokens": 5} | usage
    return {"id": "x", "object": "chat.completion", "created": 0, "model": "m", "choices": [choice], "usage": usage}


class Endpoint:
    """`script(number, body)` returns a body, a `web.Response`, an exception to raise, or awaits what it likes."""

    def __init__(self, script):
        self.script, self.in_flight, self.most = script, 0, 0
        self.requests, self.headers, self.queries = [], [], []

    async def handle(self, request):
        body = await request.json()
        self.requests.append(body)
        self.headers.append(request.headers)
        self.queries.append(dict(request.query))
        self.in_flight += 1
        self.most = max(self.most, self.in_flight)
        try:
            found = self.script(len(self.requests), body)
            if asyncio.iscoroutine(found):
                found = await found
            if found == "reset":
                request.transport.abort()
                return web.Response()
            if found == "drip":
                return await drip(request)
            return found if isinstance(found, web.StreamResponse) else web.json_response(found)
        finally:
            self.in_flight -= 1


async def drip(request):
    """A space every now and then, for ever."""
    response = web.StreamResponse()
    await response.prepare(request)
    while True:
        await response.write(b" ")
        await asyncio.sleep(0.05)


@asynccontextmanager
async def serving(script):
    """The endpoint and its base URL."""
    endpoint = Endpoint(script)
    app = web.Application(client_max_size=1 << 26)
    app.router.add_post("/v1/chat/completions", endpoint.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield endpoint, f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    finally:
        await runner.cleanup()


def failing(status, code="", **headers):
    """An error as OpenAI writes it."""
    body = json.dumps({"error": {"message": "no", "code": code}})
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return web.Response(status=status, text=body, content_type="application/json", headers=names)


def request(text="hello", max_tokens=100):
    return ChatRequest(
        model="m", messages=(ChatMessage(role="user", content=text),), sampling=Sampling(max_tokens=max_tokens)
    )


def client_for(url, **options):
    values = {"concurrency": 8, "timeout_s": 5, "max_attempts": 4} | options
    return OpenAIClient(url, "secret-key", **values)
