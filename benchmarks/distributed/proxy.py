"""A reverse proxy that behaves badly on command, for the services of a cluster: errors, silence, broken connections.

It runs in a thread of its own; `misbehave` takes effect at once, for requests that come within the time given.
"""

import asyncio
import contextlib
import threading
import time
from collections import Counter
from typing import Any, Self

import aiohttp
from aiohttp import web
from yarl import URL

from benchmarks.distributed.cluster import free_port

_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "host", "content-encoding"}


class Proxy:
    """Before `port` of this machine, on a port of its own."""

    def __init__(self, port: int) -> None:
        self.port = free_port()
        self.seen: Counter[str] = Counter()
        """Answers of the service, by method and status."""
        self._target = f"http://127.0.0.1:{port}"
        self._how, self._until = "", 0.0
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()

    def __enter__(self) -> Self:
        """Serves."""
        threading.Thread(target=self._serve, daemon=True).start()
        self._ready.wait()
        return self

    def __exit__(self, *_: object) -> None:
        """Ends it."""
        asyncio.run_coroutine_threadsafe(self._session.close(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)

    def misbehave(self, how: str, seconds: float) -> None:
        """`500`, `503`, `hang` or `reset` for so long."""
        self._how, self._until = how, time.monotonic() + seconds

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._start())
        self._ready.set()
        self._loop.run_forever()

    async def _start(self) -> None:
        no_limit = aiohttp.TCPConnector(limit=0)
        self._session = aiohttp.ClientSession(connector=no_limit, auto_decompress=False)
        app = web.Application(client_max_size=2**30)
        app.router.add_route("*", "/{path:.*}", self._pass_on)
        runner = web.AppRunner(app, access_log=None, auto_decompress=False)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", self.port).start()

    async def _pass_on(self, request: web.Request) -> web.StreamResponse:
        if time.monotonic() < self._until:
            if self._how == "hang":
                await asyncio.sleep(max(0.0, self._until - time.monotonic()))
            if self._how in ("hang", "reset"):
                _cut(request)
                raise asyncio.CancelledError
            return web.Response(status=int(self._how))
        body = await request.read()
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _HOP}
        try:
            address = URL(self._target + request.raw_path, encoded=True)
            async with self._session.request(request.method, address, headers=headers, data=body) as answer:
                data = await answer.read()
        except aiohttp.ClientError:
            return web.Response(status=502)
        self.seen[f"{request.method} {answer.status}"] += 1
        kept = {name: value for name, value in answer.headers.items() if name.lower() not in _HOP}
        if request.method == "HEAD":
            kept["Content-Length"] = answer.headers.get("Content-Length", "0")
        return web.Response(status=answer.status, headers=kept, body=data)


def _cut(request: web.Request) -> None:
    transport: Any = request.transport
    with contextlib.suppress(AttributeError):
        transport.abort()
