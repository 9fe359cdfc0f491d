"""HTTP clients that follow the rule of `gem_tasks.proxies`, for each request anew: a redirect may lead elsewhere."""

from typing import Any

import httpx2

from gem_tasks.proxies import proxy_for


class Routed(httpx2.BaseTransport):
    """Sends each request straight or through its proxy."""

    def __init__(self) -> None:
        self._ways: dict[str | None, httpx2.HTTPTransport] = {}

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """By httpx2."""
        proxy = proxy_for(str(request.url))
        # Two threads may come here at once: both have to use the transport that `close` will find.
        way = self._ways.get(proxy) or self._ways.setdefault(proxy, httpx2.HTTPTransport(proxy=proxy))
        return way.handle_request(request)

    def close(self) -> None:
        """By httpx2."""
        for way in self._ways.values():
            way.close()


class AsyncRouted(httpx2.AsyncBaseTransport):
    """The same for an event loop."""

    def __init__(self) -> None:
        self._ways: dict[str | None, httpx2.AsyncHTTPTransport] = {}

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """By httpx2."""
        proxy = proxy_for(str(request.url))
        if proxy not in self._ways:
            self._ways[proxy] = httpx2.AsyncHTTPTransport(proxy=proxy)
        return await self._ways[proxy].handle_async_request(request)

    async def aclose(self) -> None:
        """By httpx2."""
        for way in self._ways.values():
            await way.aclose()


def client(**options: Any) -> httpx2.Client:
    """A client; the options are httpx2's."""
    return httpx2.Client(transport=Routed(), **options)


def async_client(**options: Any) -> httpx2.AsyncClient:
    """A client for an event loop; the options are httpx2's."""
    return httpx2.AsyncClient(transport=AsyncRouted(), **options)
