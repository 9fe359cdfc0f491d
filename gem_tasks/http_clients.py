"""HTTP clients that apply the rule of `gem_tasks.proxies` to each request separately: a redirect may lead elsewhere.

A client follows no redirect unless told to. Direct connections go only to addresses that `addresses` has checked.
"""

import os
import ssl
import time
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import httpcore2
import httpx2

from gem_tasks.addresses import resolved, resolved_async
from gem_tasks.proxies import proxy_for

Resolve = Callable[[str, int | None], list[tuple[Any, ...]]]
"""Returns the checked addresses of a name, as `addresses.resolved` does."""


class Routed(httpx2.BaseTransport):
    """Sends each request directly or through its proxy.

    Args:
        resolve: resolves names for direct connections.
        within_s: seconds for the whole answer to one direct request; None: only silence is limited.
    """

    def __init__(self, resolve: Resolve = resolved, within_s: float | None = None) -> None:
        self._resolve, self._within_s = resolve, within_s
        self._ways: dict[str | None, httpx2.HTTPTransport] = {}

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Called by httpx2."""
        proxy = proxy_for(str(request.url))
        # If two threads arrive at the same time, both must use the transport that `close` will find.
        way = self._ways.get(proxy)
        if way is None:
            way = self._ways.setdefault(
                proxy, httpx2.HTTPTransport(proxy=proxy) if proxy else _Straight(self._resolve, self._within_s)
            )
        return way.handle_request(request)

    def close(self) -> None:
        """Called by httpx2."""
        for way in self._ways.values():
            way.close()


class AsyncRouted(httpx2.AsyncBaseTransport):
    """Like `Routed`, for an event loop."""

    def __init__(self) -> None:
        self._ways: dict[str | None, httpx2.AsyncHTTPTransport] = {}

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Called by httpx2."""
        proxy = proxy_for(str(request.url))
        if proxy not in self._ways:
            self._ways[proxy] = httpx2.AsyncHTTPTransport(proxy=proxy) if proxy else _AsyncStraight()
        return await self._ways[proxy].handle_async_request(request)

    async def aclose(self) -> None:
        """Called by httpx2."""
        for way in self._ways.values():
            await way.aclose()


def client(resolve: Resolve = resolved, within_s: float | None = None, **options: Any) -> httpx2.Client:
    """A client; the first arguments are those of `Routed`, the options are httpx2's."""
    return httpx2.Client(transport=Routed(resolve, within_s), **options)


def async_client(**options: Any) -> httpx2.AsyncClient:
    """A client for an event loop; the options are httpx2's."""
    return httpx2.AsyncClient(transport=AsyncRouted(), **options)


def _tls() -> ssl.SSLContext:
    """A context that all clients share: to load the certificates takes 30 ms, and a poll of batches opens a client."""
    return _tls_of(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))


@lru_cache(maxsize=1)
def _tls_of(_file: str | None, _folder: str | None) -> ssl.SSLContext:
    return httpx2.create_ssl_context()


class _Straight(httpx2.HTTPTransport):
    """Connects to addresses that were checked, not to names."""

    def __init__(self, resolve: Resolve = resolved, within_s: float | None = None) -> None:
        context = _tls()
        super().__init__(verify=context)
        self._pool = httpcore2.ConnectionPool(ssl_context=context, network_backend=_Checked(resolve, within_s))


class _AsyncStraight(httpx2.AsyncHTTPTransport):
    """Like `_Straight`, for an event loop."""

    def __init__(self) -> None:
        context = _tls()
        super().__init__(verify=context)
        self._pool = httpcore2.AsyncConnectionPool(ssl_context=context, network_backend=_AsyncChecked())


class _Checked(httpcore2.SyncBackend):
    """Resolves a name once, checks the addresses, and tries them in order."""

    def __init__(self, resolve: Resolve, within_s: float | None) -> None:
        self._resolve, self._within_s = resolve, within_s

    def connect_tcp(self, host: str, port: int, *arguments: Any, **options: Any) -> httpcore2.NetworkStream:
        """Called by httpcore2."""
        fault: Exception | None = None
        try:
            found = self._resolve(host, port)
        except OSError as error:
            raise httpcore2.ConnectError(str(error)) from error
        for each in found:
            try:
                stream = super().connect_tcp(str(each[4][0]), port, *arguments, **options)
                return _Within(stream, self._within_s) if self._within_s else stream
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                fault = error
        raise fault or httpcore2.ConnectError(f"{host} leads nowhere")


class _Within(httpcore2.NetworkStream):
    """A connection whose answers must end within a time, however steadily they drip."""

    def __init__(self, stream: httpcore2.NetworkStream, seconds: float) -> None:
        self._stream, self._seconds, self._until = stream, seconds, time.monotonic() + seconds

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Called by httpcore2."""
        left = self._until - time.monotonic()
        if left <= 0:
            raise httpcore2.ReadTimeout(f"the answer took more than {self._seconds:g} s")
        return self._stream.read(max_bytes, left if timeout is None else min(timeout, left))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Called by httpcore2: a request begins."""
        self._until = time.monotonic() + self._seconds
        self._stream.write(buffer, timeout)

    def close(self) -> None:
        """Called by httpcore2."""
        self._stream.close()

    def start_tls(self, *arguments: Any, **options: Any) -> httpcore2.NetworkStream:
        """Called by httpcore2."""
        return _Within(self._stream.start_tls(*arguments, **options), self._seconds)

    def get_extra_info(self, info: str) -> Any:
        """Called by httpcore2."""
        return self._stream.get_extra_info(info)


class _AsyncChecked(httpcore2.AsyncNetworkBackend):
    """Like `_Checked`, for an event loop."""

    def __init__(self) -> None:
        self._sockets: Any = httpcore2.AnyIOBackend()

    async def connect_tcp(self, host: str, port: int, *arguments: Any, **options: Any) -> httpcore2.AsyncNetworkStream:
        """Called by httpcore2."""
        fault: Exception | None = None
        try:
            found = await resolved_async(host, port)
        except OSError as error:
            raise httpcore2.ConnectError(str(error)) from error
        for each in found:
            try:
                return await self._sockets.connect_tcp(str(each[4][0]), port, *arguments, **options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                fault = error
        raise fault or httpcore2.ConnectError(f"{host} leads nowhere")

    async def sleep(self, seconds: float) -> None:
        """Called by httpcore2."""
        await self._sockets.sleep(seconds)
