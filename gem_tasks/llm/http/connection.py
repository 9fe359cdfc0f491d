"""One HTTP/1.1 connection: takes the bytes of a request, returns a reply. httptools (Node's parser) reads the input.

It supports exactly what a chat completion needs: one request at a time, and replies with a length, in chunks or up to
the end of the connection; it skips interim replies. Any irregularity (unexpected bytes, a truncated body, one without
bounds) ends the connection, so that no reply can be taken for another's.
"""

import asyncio
from typing import cast

import httptools

from gem_tasks.llm.bounds import MAX_HEAD_BYTES, MAX_HEADERS
from gem_tasks.llm.http.reply import Reply
from gem_tasks.replies import MAX_BODY_BYTES, Growing, TooLargeError, Unpacking

_OK = 200
_TOO_MANY_HEADERS = f"more than {MAX_HEAD_BYTES >> 10} KB of headers, or {MAX_HEADERS} of them"


class BrokenReplyError(ConnectionError):
    """The connection delivered something other than one whole reply."""


class Connection(asyncio.BufferedProtocol):
    """Made by `loop.create_connection`.

    Args:
        buffer: read buffer shared by all connections of a loop: a buffer per read costs a system call.
    """

    def __init__(self, buffer: memoryview) -> None:
        self.idle_since = 0.0
        self._buffer = buffer
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport | None = None
        self._waiter: asyncio.Future[Reply] | None = None
        self._reusable = False
        self._begun = self._headed = False
        self._headers: dict[str, str] = {}
        self._head_size = 0
        self._body = bytearray()
        self._wire = Growing(MAX_BODY_BYTES + MAX_HEAD_BYTES + len(buffer))

    @property
    def reusable(self) -> bool:
        """Whether it can take another request."""
        return self._reusable and self._transport is not None and not self._transport.is_closing()

    async def send(self, request: bytes) -> Reply:
        """Sends a request, head and body, and waits for its reply. Cancelling it closes the connection.

        Raises:
            OSError: the reply did not arrive as a whole.
        """
        assert self._transport, "not connected"  # noqa: S101
        self._reusable = self._begun = self._headed = False
        self._head_size = 0
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            self._transport.write(request)
            return _decoded(await self._waiter)
        except BaseException:
            self.close()
            raise
        finally:
            self._waiter = None
            self._wire.free()
            self._body = bytearray()

    def close(self) -> None:
        """Closes the connection at once, even during a request."""
        self._reusable = False
        if self._transport:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the loop."""
        self._transport = cast("asyncio.Transport", transport)

    def get_buffer(self, sizehint: int) -> memoryview:
        """Called by the loop."""
        del sizehint
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Called by the loop when bytes have arrived."""
        if self._waiter is not None and not self._count(nbytes):
            return
        try:
            self._parser.feed_data(self._buffer[:nbytes])
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            cause = error.__context__
            self._fail(cause if isinstance(cause, BrokenReplyError) else BrokenReplyError(f"not HTTP: {error}"))
        if self._waiter is None:  # unexpected bytes
            self.close()

    def _count(self, nbytes: int) -> bool:
        """Aborts a reply that grows too large in any part: body, headers, trailers, interim replies."""
        try:
            self._wire.add(nbytes)
        except TooLargeError as error:
            self._fail(BrokenReplyError(str(error)))
            return False
        if self._headed or self._wire.size <= MAX_HEAD_BYTES + len(self._buffer):
            return True
        self._fail(BrokenReplyError(_TOO_MANY_HEADERS))
        return False

    def eof_received(self) -> None:
        """Called by the loop, which then closes the connection."""

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by the loop. A reply without a length ends here."""
        self._reusable = False
        bounded = "content-length" in self._headers or "chunked" in self._headers.get("transfer-encoding", "").lower()
        if self._headed and not bounded and exc is None:
            self._finish()
        else:
            self._fail(exc or BrokenReplyError("the connection was closed before the reply was complete"))

    def on_message_begin(self) -> None:
        """Called by the parser."""
        if self._begun:
            raise BrokenReplyError("bytes came after the reply")
        self._begun = True
        self._headed = False
        self._headers, self._body = {}, bytearray()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Called by the parser, also for trailers after a chunked body, which are not headers."""
        if self._headed:
            return
        self._head_size += len(name) + len(value)
        if self._head_size > MAX_HEAD_BYTES or len(self._headers) >= MAX_HEADERS:
            raise BrokenReplyError(_TOO_MANY_HEADERS)
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        """Called by the parser."""
        self._headed = self._parser.get_status_code() >= _OK

    def on_body(self, body: bytes) -> None:
        """Called by the parser."""
        self._body += body
        if len(self._body) > MAX_BODY_BYTES:
            raise BrokenReplyError(f"the answer is larger than {MAX_BODY_BYTES >> 20} MB")

    def on_message_complete(self) -> None:
        """Called by the parser."""
        if self._headed:
            self._reusable = self._parser.should_keep_alive()
            self._finish()
        else:  # such as 100 Continue
            self._begun = False

    def _finish(self) -> None:
        if self._waiter and not self._waiter.done():
            self._waiter.set_result(Reply(self._parser.get_status_code(), self._headers, bytes(self._body)))
        self._body = bytearray()

    def _fail(self, error: Exception) -> None:
        self._reusable = False
        if self._waiter and not self._waiter.done():
            self._waiter.set_exception(error)
        if self._transport:
            self._transport.abort()


def _decoded(reply: Reply) -> Reply:
    """The reply with any unrequested compression undone."""
    try:
        unpack = Unpacking(reply.headers.get("content-encoding", ""))
        if not unpack.needed:
            return reply
        body = next(unpack.pieces(reply.body, MAX_BODY_BYTES), b"")
        unpack.end()
    except ValueError as error:
        more = f", or larger than {MAX_BODY_BYTES >> 20} MB" if "cut off" in str(error) else ""
        raise BrokenReplyError(f"{error}{more}") from error
    return reply._replace(body=body)
