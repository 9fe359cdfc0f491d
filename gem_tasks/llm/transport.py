"""One endpoint's connections: a request body in, a reply out, nothing in between.

The SDK's transports cost five to fifteen times the CPU of plain aiohttp per call and fall behind at a few hundred
requests in flight (docs/benchmarks.md), so the hot path does without them.
"""

from collections.abc import Mapping
from types import TracebackType
from typing import NamedTuple, Self
from urllib.parse import parse_qsl, urlsplit, urlunsplit

import aiohttp

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
        parts = urlsplit(base_url)
        self._root = urlunsplit(parts._replace(query="", path=parts.path.rstrip("/")))
        self._query = dict(parse_qsl(parts.query))
        self._headers = {"Content-Type": "application/json", "User-Agent": "gem"}
        if api_key:
            self._headers["Authorization"] = f"Bearer {api_key}"
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        """Opens no connection yet."""
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=60, ttl_dns_cache=300),
            headers=self._headers,
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=True,  # proxies
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Closes the connections."""
        if self._session:
            await self._session.close()

    async def post(self, path: str, body: bytes, limit_s: float) -> Reply:
        """Sends a JSON body.

        Args:
            path: below the base URL, such as `/chat/completions`.
            body: JSON.
            limit_s: from sending to the last byte of the reply.

        Raises:
            EndpointError: no complete reply came; whatever its status, one that came is returned.
        """
        assert self._session, "used outside its context"  # noqa: S101
        limit = aiohttp.ClientTimeout(total=limit_s, sock_connect=_CONNECT_S)
        try:
            async with self._session.post(
                self._root + path, params=self._query, data=body, timeout=limit, allow_redirects=False
            ) as response:
                return Reply(response.status, response.headers, await _read(response))
        except TimeoutError:
            raise EndpointError(ErrorClass.TIMEOUT, f"no complete answer within {limit_s:.1f} s") from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise EndpointError(ErrorClass.CONNECTION, f"{type(error).__name__}: {str(error)[:300]}") from error


async def _read(response: aiohttp.ClientResponse) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for part in response.content.iter_any():
        parts.append(part)
        size += len(part)
        if size > _MAX_BODY_BYTES:
            raise aiohttp.ClientPayloadError(f"the answer is larger than {_MAX_BODY_BYTES >> 20} MB")
    return b"".join(parts)
