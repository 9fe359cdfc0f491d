"""Reaches an endpoint behind a proxy through aiohttp, which supports proxies."""

from collections.abc import Mapping
from types import TracebackType
from typing import Self

import aiohttp
from yarl import URL

from gem_tasks.connection_faults import reason
from gem_tasks.errors import EndpointError, ErrorClass
from gem_tasks.llm.http.reply import CONNECT_S, KEEP_ALIVE_S, Reply, request_headers
from gem_tasks.proxies import shown
from gem_tasks.replies import Growing, abody_of


class ProxiedTransport:
    """Like `transport.Transport`.

    Args:
        base_url: ends in `/v1`; a query, such as Azure's `api-version`, goes with every request.
        api_key: sent as a bearer token.
        proxy: its URL. aiohttp would look it up in the environment for every request, in a thread.
        extra: extra headers.
    """

    def __init__(self, base_url: URL, api_key: str | None, proxy: str, extra: Mapping[str, str] | None = None) -> None:
        self._base, self._proxy, self._headers = base_url, proxy, request_headers(api_key, extra)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        """Opens no connection yet."""
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=KEEP_ALIVE_S, ttl_dns_cache=300),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"Accept-Encoding": "identity"},
            auto_decompress=False,  # aiohttp's has no size limit
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Closes the connections."""
        if self._session:
            await self._session.close()

    def use(self, headers: Mapping[str, str]) -> None:
        """See `transport.Transport.use`."""
        self._headers = request_headers(None, headers)

    async def post(self, path: str, body: bytes) -> Reply:
        """See `transport.Transport.post`."""
        return await self._exchange("POST", path, body)

    async def get(self, path: str) -> Reply:
        """See `transport.Transport.get`."""
        return await self._exchange("GET", path, None)

    async def _exchange(self, method: str, path: str, body: bytes | None) -> Reply:
        assert self._session, "used outside its context"  # noqa: S101
        url = self._base.with_path(self._base.path.rstrip("/") + path, keep_query=True)
        try:
            async with self._session.request(
                method, url, data=body, headers=self._headers, allow_redirects=False, proxy=self._proxy
            ) as response:
                with Growing() as growing:
                    coding = response.headers.get("Content-Encoding", "")
                    found = await abody_of(response.content.iter_any(), coding, growing)
                return Reply(response.status, response.headers, found)
        except aiohttp.ConnectionTimeoutError:
            raise EndpointError(ErrorClass.TIMEOUT, f"no connection within {CONNECT_S:.0f} s") from None
        except TimeoutError:
            raise  # the caller handles it
        except (aiohttp.ClientError, OSError, ValueError) as error:
            told = f"through the proxy {shown(self._proxy)}: {reason(error)}"
            raise EndpointError(ErrorClass.CONNECTION, told) from error
