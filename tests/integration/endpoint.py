"""A scripted OpenAI-compatible endpoint over real HTTP: each request gets what the script says."""

import asyncio
import json
import threading
from contextlib import asynccontextmanager

from aiohttp import ClientSession, web

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


class Front:
    """An endpoint in a thread of its own: `refuse(body)` says what to answer instead, or None to ask the teacher.

    Args:
        teacher_url: of the endpoint behind it.
        refuse: a `web.Response` for a request's body, or None. May be replaced at any time.
        rewrite: what comes of a file of answers of the teacher.
    """

    def __init__(self, teacher_url, refuse=lambda body: None, rewrite=lambda data: data):
        self.refuse, self.rewrite, self._teacher = refuse, rewrite, teacher_url
        self.asked = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self):
        self._thread.start()
        self.url = asyncio.run_coroutine_threadsafe(self._start(), self._loop).result()
        return self

    def __exit__(self, *_):
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _start(self):
        self._session = ClientSession()
        app = web.Application(client_max_size=1 << 26)
        app.router.add_post("/v1/chat/completions", self._complete)
        app.router.add_route("*", "/v1/{tail:.*}", self._forward)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{self._runner.addresses[0][1]}/v1"

    async def _stop(self):
        await self._session.close()
        await self._runner.cleanup()

    async def _complete(self, request):
        body = await request.json()
        self.asked.append(body)
        return self.refuse(json.dumps(body)) or await self._forward(request)

    async def _forward(self, request):
        url = self._teacher.removesuffix("/v1") + request.raw_path
        async with self._session.request(request.method, url, data=await request.read(), headers=_kept(request)) as got:
            data = await got.read()
            data = self.rewrite(data) if request.path.endswith("/content") else data
            return web.Response(status=got.status, body=data, headers=_kept(got))


def _kept(message):
    return {name: message.headers[name] for name in ("Content-Type",) if name in message.headers}
