"""The connections of one endpoint: takes a request body, returns a reply, with nothing in between.

The SDK's transports cost several times the CPU of this one per call and fall behind at a few hundred requests in
flight; aiohttp's client costs two to three times as much (docs/benchmarks.md). So the hot path has its own HTTP/1.1:
pooled connections over httptools. An endpoint behind a proxy is reached through aiohttp.
"""

import asyncio
import ssl
import time
from collections import deque
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Protocol, Self

from aiohappyeyeballs import start_connection  # pyright: ignore[reportUnknownVariableType] - a bare tuple in it
from yarl import URL

from gem_tasks.addresses import resolved_async
from gem_tasks.connection_faults import reason
from gem_tasks.errors import EndpointError, ErrorClass, UserError
from gem_tasks.llm.http.connection import Connection
from gem_tasks.llm.http.reply import CONNECT_S, KEEP_ALIVE_S, Reply, request_headers
from gem_tasks.proxies import proxy_for
from gem_tasks.redaction import shown_url

_READ_BYTES = 256 << 10
_ADDRESSES_S = 300.0
_NEXT_ADDRESS_S = 0.25
"""If an address has not answered after this time, the next one is tried too (RFC 8305)."""


class AnyTransport(Protocol):
    """The client's needs: an async context manager with `post` and `get`."""

    async def __aenter__(self) -> Self:
        """Opens no connection yet."""
        ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Closes the connections."""
        ...

    def use(self, headers: Mapping[str, str]) -> None:
        """See `Transport.use`."""
        ...

    async def post(self, path: str, body: bytes) -> Reply:
        """See `Transport.post`."""
        ...

    async def get(self, path: str) -> Reply:
        """See `Transport.get`."""
        ...


def transport_to(base_url: str, api_key: str | None, headers: Mapping[str, str] | None = None) -> AnyTransport:
    """A direct transport, or one through the proxy that the environment names for this host.

    Args:
        base_url: ends in `/v1`; a query, such as Azure's `api-version`, goes with every request.
        api_key: sent as a bearer token.
        headers: extra headers for every request.

    Raises:
        UserError: the address is not valid, the key cannot be sent, or the proxy cannot be used.
    """
    url, proxy = _address(base_url), proxy_for(base_url)
    if proxy is None:
        return Transport(url, api_key, headers)
    from gem_tasks.llm.http.proxied import ProxiedTransport  # importing aiohttp takes a third of a second

    return ProxiedTransport(url, api_key, proxy, headers)


def _address(base_url: str) -> URL:
    try:
        url = URL(base_url)
    except ValueError:
        url = URL()
    if url.scheme not in ("http", "https") or not url.host:
        raise UserError(
            f"{shown_url(base_url)!r} is not the address of an LLM endpoint", "Write http(s)://host[:port]/v1."
        )
    if url.user or url.password:
        raise UserError(
            f"The address of the LLM endpoint {shown_url(base_url)} contains a user name or a password",
            "Put the key into GEM_LLM_API_KEY, or other credentials into GEM_LLM_EXTRA_HEADERS.",
        )
    return url


class Transport:
    """Keeps connections open, as many as there are requests. See `transport_to`."""

    def __init__(self, base_url: URL, api_key: str | None, extra: Mapping[str, str] | None = None) -> None:
        self._base = base_url
        self._send(request_headers(api_key, extra))
        self._buffer = memoryview(bytearray(_READ_BYTES))
        self._idle: list[Connection] = []
        self._addresses: deque[Any] = deque()
        self._resolved_at = 0.0
        self._resolving = asyncio.Lock()
        self._tls = _tls() if base_url.scheme == "https" else None

    async def __aenter__(self) -> Self:
        """Opens no connection yet."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Closes the connections."""
        self._close_idle()
        await asyncio.sleep(0)  # the loop closes sockets in its next turn

    def use(self, headers: Mapping[str, str]) -> None:
        """Sends these headers from now on, in place of the key and the earlier headers."""
        self._send(request_headers(None, headers))

    def _send(self, headers: Mapping[str, str]) -> None:
        ours = {"Host": self._base.host_port_subcomponent or "", "Accept-Encoding": "identity"}
        self._fields = "".join(f"{name}: {value}\r\n" for name, value in {**headers, **ours}.items())
        self._heads: dict[str, bytes] = {}

    async def post(self, path: str, body: bytes) -> Reply:
        """Sends a JSON body. The caller limits the total time; only connecting has a limit here.

        Args:
            path: path below the base URL, such as `/chat/completions`.
            body: JSON.

        Raises:
            EndpointError: no complete reply arrived; a complete one is returned regardless of its status.
        """
        return await self._exchange(b"%b%d\r\n\r\n%b" % (self._head("POST", path), len(body), body))

    async def get(self, path: str) -> Reply:
        """Sends a GET request; raises the same errors."""
        return await self._exchange(self._head("GET", path) + b"0\r\n\r\n")

    async def _exchange(self, request: bytes) -> Reply:
        try:
            connection = self._take() or await self._open()
            reply = await connection.send(request)
        except OSError as error:
            raise EndpointError(ErrorClass.CONNECTION, reason(error)) from error
        if connection.reusable:
            connection.idle_since = time.monotonic()
            self._idle.append(connection)
        else:
            connection.close()
        return reply

    def _head(self, method: str, path: str) -> bytes:
        """Everything before the body's length, built once."""
        key = method + path
        if key not in self._heads:
            url = self._base.with_path(self._base.path.rstrip("/") + path, keep_query=True)
            self._heads[key] = f"{method} {url.raw_path_qs} HTTP/1.1\r\n{self._fields}Content-Length: ".encode()
        return self._heads[key]

    def _take(self) -> Connection | None:
        """The most recently used connection, which the other end is least likely to have closed."""
        while self._idle:
            connection = self._idle.pop()
            if time.monotonic() - connection.idle_since > KEEP_ALIVE_S:
                connection.close()
                self._close_idle()  # they have been idle for longer
            elif connection.reusable:
                return connection
        return None

    def _close_idle(self) -> None:
        while self._idle:
            self._idle.pop().close()

    async def _open(self) -> Connection:
        """Opens a new connection.

        Raises:
            EndpointError: it took too long.
            OSError: no server answers, or its certificate is not valid.
        """
        loop = asyncio.get_running_loop()
        host = self._base.raw_host or ""
        try:
            async with asyncio.timeout(CONNECT_S):
                sock = await start_connection(await self._resolved(host), happy_eyeballs_delay=_NEXT_ADDRESS_S)
                name = host if self._tls else None
                _, connection = await loop.create_connection(
                    lambda: Connection(self._buffer), sock=sock, ssl=self._tls, server_hostname=name
                )
        except TimeoutError:
            raise EndpointError(ErrorClass.TIMEOUT, f"no connection within {CONNECT_S:.0f} s") from None
        return connection

    async def _resolved(self, host: str) -> list[Any]:
        """Addresses of the host, rotated, because names share load that way."""
        async with self._resolving:
            if not self._addresses or time.monotonic() - self._resolved_at > _ADDRESSES_S:
                found = await resolved_async(host, self._base.port)
                self._addresses, self._resolved_at = deque(found), time.monotonic()
        self._addresses.rotate(-1)
        return list(self._addresses)


def _tls() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context
