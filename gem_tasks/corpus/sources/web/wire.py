"""One HTTP request for a page: bounded in size and time, without redirects, to public addresses only.

A page is kept in memory while it is small, otherwise in a temporary file.
"""

import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from io import BytesIO
from tempfile import TemporaryFile
from types import MappingProxyType
from typing import IO, NamedTuple, cast
from urllib.parse import urlsplit

import httpx2

from gem_tasks import http_clients, redaction
from gem_tasks.addresses import ForbiddenAddressError, forbidden_name, resolved, resolved_public
from gem_tasks.corpus.sources.web.address import origin
from gem_tasks.domain.web_access import WebAccess
from gem_tasks.errors import UserError, first_line
from gem_tasks.proxies import proxy_for
from gem_tasks.replies import Unpacking

PRODUCT = "gem-corpus"
"""The name that a group of robots.txt uses for GEM."""
_IN_MEMORY = 256 << 10
_DRAINED = 64 << 10
_SILENCE_S = 20
_ACCEPT = "text/html, application/xhtml+xml, text/markdown, text/plain;q=0.9, */*;q=0.5"


class Answer(NamedTuple):
    """A server's answer."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: IO[bytes]
    """Unpacked, at its beginning; empty unless the status is 200 and the type is wanted."""
    size: int


class Body:
    """Bytes in memory while they are few, otherwise in a temporary file.

    Attributes:
        file: the bytes so far.
    """

    def __init__(self) -> None:
        self.file: IO[bytes] = BytesIO()

    def write(self, piece: bytes) -> None:
        """Appends bytes."""
        if isinstance(self.file, BytesIO) and self.file.tell() + len(piece) > _IN_MEMORY:
            small, self.file = self.file, cast("IO[bytes]", TemporaryFile())
            self.file.write(small.getbuffer())
        self.file.write(piece)


class TooLargeError(Exception):
    """A body exceeds its limit.

    Attributes:
        headers: of the answer.
    """

    def __init__(self, most: int, headers: Mapping[str, str]) -> None:
        super().__init__(f"more than {most} bytes")
        self.headers = headers


class NoAnswerError(Exception):
    """The server did not answer, or not completely: a later run may succeed."""


class NotAllowedError(Exception):
    """GEM may not connect to this address."""


def _any(_content_type: str, _url: str) -> bool:
    return True


class Wanted(NamedTuple):
    """What a request asks for."""

    most: int
    """Largest body in bytes, unpacked."""
    conditions: Mapping[str, str] = MappingProxyType({})
    """Headers of a conditional request."""
    reads: Callable[[str, str], bool] = _any
    """Whether the body of a type at a URL is wanted; others are not transferred."""


class Wire:
    """A client for many requests, to be closed. Threads may share it.

    Attributes:
        requests: number of requests so far.
        received: bytes of bodies so far, as sent.
    """

    def __init__(self, access: WebAccess) -> None:
        self._access = access
        self._private = {origin(root) for root in access.roots if root.startswith(("http://", "https://"))}
        self._agent = PRODUCT + (f" (+{access.contact})" if access.contact else "")
        timeout = httpx2.Timeout(min(_SILENCE_S, access.timeout_s))
        self._public = http_clients.client(resolved_public, access.timeout_s, timeout=timeout, trust_env=False)
        self._inside = http_clients.client(resolved, access.timeout_s, timeout=timeout, trust_env=False)
        self.requests = self.received = 0

    def close(self) -> None:
        """Closes all connections."""
        self._public.close()
        self._inside.close()

    def get(self, url: str, wanted: Wanted) -> Answer:
        """Requests a normal URL.

        Raises:
            NotAllowedError: its address is private, or forbidden.
            NoAnswerError: there is no complete answer within the time limit.
            TooLargeError: the body is larger.
        """
        headers = {"User-Agent": self._agent, "Accept": _ACCEPT, "Accept-Encoding": "gzip", **wanted.conditions}
        self.requests += 1
        try:
            with self._client(url).stream("GET", url, headers=headers) as response:
                unread = Answer(url, response.status_code, response.headers, BytesIO(), 0)
                if response.status_code != 200:
                    _drain(response)
                    return unread
                if not wanted.reads(response.headers.get("Content-Type", ""), url):
                    return unread
                body, size = self._body(response, wanted.most)
                return Answer(url, 200, response.headers, body, size)
        except httpx2.HTTPError as error:
            if cause := _forbidden(error):
                raise NotAllowedError(str(cause)) from error
            slow = isinstance(error, httpx2.TimeoutException)
            raise NoAnswerError(self._slow() if slow else _why(error)) from error
        except httpx2.InvalidURL as error:
            raise NotAllowedError(_why(error)) from error

    def _slow(self) -> str:
        return f"no complete answer within {self._access.timeout_s:g} s"

    def _client(self, url: str) -> httpx2.Client:
        """The client for this URL. Behind a proxy, which resolves names, only their spelling is judged."""
        if origin(url) in self._private:
            return self._inside
        try:
            proxy = proxy_for(url)
        except UserError as error:
            raise NotAllowedError(str(error)) from error
        if proxy:
            _require_public_spelling(urlsplit(url).hostname or "")
        return self._public

    def _body(self, response: httpx2.Response, most: int) -> tuple[IO[bytes], int]:
        until = time.monotonic() + self._access.timeout_s
        declared = response.headers.get("Content-Length", "")
        if declared.isdecimal() and int(declared) > most:
            raise TooLargeError(most, response.headers)
        body, size = Body(), 0
        try:
            for piece in self._pieces(response, until):
                size += len(piece)
                if size > most:
                    raise TooLargeError(most, response.headers)
                body.write(piece)
        except BaseException:
            body.file.close()
            raise
        body.file.seek(0)
        return body.file, size

    def _pieces(self, response: httpx2.Response, until: float) -> Iterator[bytes]:
        try:
            unpack = Unpacking(response.headers.get("Content-Encoding", ""))
            for part in response.iter_raw():
                self.received += len(part)
                if time.monotonic() > until:
                    raise NoAnswerError(self._slow())
                yield from unpack.pieces(part)
            unpack.end()
        except ValueError as error:
            raise NoAnswerError(_why(error)) from error


def _drain(response: httpx2.Response) -> None:
    """Reads the short body of an error, so that the connection can be used again; gives up on a long one."""
    read = 0
    for part in response.iter_raw():
        read += len(part)
        if read > _DRAINED:
            return


def _require_public_spelling(name: str) -> None:
    if forbidden_name(name):
        raise NotAllowedError(f"{name} leads to a cloud's credentials")
    with suppress(socket.gaierror):  # a name, not an address
        socket.getaddrinfo(name, None, flags=socket.AI_NUMERICHOST)
        try:
            resolved_public(name)
        except OSError as error:
            raise NotAllowedError(str(error)) from error


def _forbidden(error: BaseException | None) -> ForbiddenAddressError | None:
    while error and not isinstance(error, ForbiddenAddressError):
        error = error.__cause__ or error.__context__
    return error


def _why(error: Exception) -> str:
    return redaction.beginning(first_line(error) or type(error).__name__, 200)
