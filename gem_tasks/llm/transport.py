"""One endpoint's connections: a request body in, a reply out, nothing in between.

The SDK's transports cost five to fifteen times the CPU of plain aiohttp per call and fall behind at a few hundred
requests in flight (docs/benchmarks.md), so the hot path does without them.
"""

from collections.abc import Mapping
from types import TracebackType
from typing import NamedTuple, Self
from urllib.request import getproxies, proxy_bypass

import aiohttp
from yarl import URL

from gem_tasks.errors import EndpointError, ErrorClass

_CONNECT_S = 20.0
_MAX_BODY_BYTES = 64 << 20
"""No completion is that long: an endpoint that sends more is broken or hostile."""


class Reply(NamedTuple):
    """An HTTP response, read to its end."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Transport:
    """Keeps connections open; as many as there are requests. An async context manager.

    Args:
        base_url: ends in `/v1`; a query, such as Azure's `api-version`, goes with every request.
        api_key: sent as a bearer token.
    """

    def __init__(self, base_url: str, api_key: str | None) -> None:
        self._base = URL(base_url)
        self._urls: dict[str, URL] = {}
        self._proxy = _proxy(self._base)
        self._headers = {"Content-Type": "application/json", "User-Agent": "gem"}
        if api_key:
            self._headers["Authorization"] = f"Bearer {api_key}"
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        """Opens no connection yet."""
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=60, ttl_dns_cache=300),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_S),
            headers=self._headers,
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Closes the connections."""
        if self._session:
            await self._session.close()

    async def post(self, path: str, body: bytes) -> Reply:
        """Sends a JSON body. How long that may take is the caller's business; only connecting has a limit here.

        Args:
            path: below the base URL, such as `/chat/completions`.
            body: JSON.

        Raises:
            EndpointError: no complete reply came; whatever its status, one that came is returned.
        """
        assert self._session, "used outside its context"  # noqa: S101
        try:
            async with self._session.post(
                self._url(path), data=body, allow_redirects=False, proxy=self._proxy
            ) as response:
                return Reply(response.status, response.headers, await _read(response))
        except aiohttp.ConnectionTimeoutError:
            raise EndpointError(ErrorClass.TIMEOUT, f"no connection within {_CONNECT_S:.0f} s") from None
        except TimeoutError:
            raise  # the caller's
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise EndpointError(ErrorClass.CONNECTION, f"{type(error).__name__}: {str(error)[:300]}") from error

    def _url(self, path: str) -> URL:
        """Built once: that takes as long as parsing the answer."""
        if path not in self._urls:
            self._urls[path] = self._base.with_path(self._base.path.rstrip("/") + path, keep_query=True)
        return self._urls[path]


def _proxy(url: URL) -> str | None:
    """From the environment. aiohttp would look there again for every request, in a thread."""
    return None if proxy_bypass(url.host or "") else getproxies().get(url.scheme)


async def _read(response: aiohttp.ClientResponse) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for part in response.content.iter_any():
        parts.append(part)
        size += len(part)
        if size > _MAX_BODY_BYTES:
            raise aiohttp.ClientPayloadError(f"the answer is larger than {_MAX_BODY_BYTES >> 20} MB")
    return b"".join(parts)
