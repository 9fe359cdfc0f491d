"""Limits the memory of endpoints' replies: for one reply, and for all replies in flight to this process.

Every client counts here what it reads (the hot path, aiohttp behind proxies, the SDK, the relay of a sandbox), because
many replies at once add up. `llm.bounds` limits the content of a reply.
"""

import zlib
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from threading import Lock
from traceback import clear_frames
from typing import Self

from gem_tasks.redaction import beginning

MAX_BODY_BYTES = 64 << 20
"""Largest reply on the wire, and unpacked: a stream of 128k tokens takes 40 MB."""
MAX_IN_FLIGHT_BYTES = 384 << 20
"""All replies together; including the memory to parse one of them, they stay below 1 GB."""
_FREE = 64 << 10
"""Uncounted part of each reply (nearly all are smaller): endpoints that send too much block no normal answers."""
_ANY_ZLIB = 47
"""gzip or zlib, with the largest window."""
_PIECE = 256 << 10


class TooLargeError(ValueError):
    """A reply, or all replies together, exceed their limit."""


class Held:
    """Bytes of the replies in flight, over all endpoints and threads."""

    __slots__ = ("_lock", "size")

    def __init__(self) -> None:
        self.size, self._lock = 0, Lock()

    def add(self, size: int) -> bool:
        """Adds bytes; returns False if that exceeds the limit."""
        with self._lock:
            self.size += size
            return self.size <= MAX_IN_FLIGHT_BYTES


IN_FLIGHT = Held()


class Growing:
    """One reply while it arrives and is parsed. A context manager that returns the bytes on exit.

    Args:
        most: largest size in bytes.
    """

    __slots__ = ("_counted", "_most", "size")

    def __init__(self, most: int = MAX_BODY_BYTES) -> None:
        self.size, self._counted, self._most = 0, 0, most

    def __enter__(self) -> Self:
        """Starts empty."""
        return self

    def __exit__(self, *_: object) -> None:
        """Releases the bytes."""
        self.free()

    def add(self, size: int) -> None:
        """Counts bytes that arrived.

        Raises:
            TooLargeError: this reply, or all together, exceed their limit.
        """
        self.size += size
        if self.size > self._most:
            raise TooLargeError(f"the answer is larger than {self._most >> 20} MB")
        if (grown := self.size - _FREE - self._counted) > 0:
            self._counted += grown
            if not IN_FLIGHT.add(grown):
                raise TooLargeError(f"the answers in flight hold more than {MAX_IN_FLIGHT_BYTES >> 20} MB")

    def free(self) -> None:
        """Releases the bytes."""
        if self._counted:
            IN_FLIGHT.add(-self._counted)
        self.size = self._counted = 0


class Unpacking:
    """Undoes a compression that some gateways apply without being asked, in pieces of a bounded size.

    Args:
        coding: the reply's `Content-Encoding`.

    Raises:
        ValueError: the coding is unknown.
    """

    def __init__(self, coding: str) -> None:
        self._coding = coding.strip().lower() or "identity"
        if self._coding not in {"identity", "gzip", "x-gzip", "deflate"}:
            raise ValueError(f"the reply is compressed with {beginning(coding, 40)!r}")
        self._unpack = None if self._coding == "identity" else zlib.decompressobj(_ANY_ZLIB)

    @property
    def needed(self) -> bool:
        """Whether there is a compression to undo."""
        return self._unpack is not None

    def pieces(self, part: bytes, size: int = _PIECE) -> Iterator[bytes]:
        """The content of the next part of the reply, in pieces of up to `size` bytes.

        Raises:
            ValueError: it is not compressed in this way.
        """
        if self._unpack is None:
            yield part
            return
        while part and not self._unpack.eof:
            try:
                yield self._unpack.decompress(part, size)
            except zlib.error as error:
                raise ValueError(f"the reply is not {self._coding}: {error}") from error
            part = self._unpack.unconsumed_tail

    def end(self) -> None:
        """Notes the end of the reply.

        Raises:
            ValueError: the compressed data is incomplete.
        """
        if self._unpack and not self._unpack.eof:
            raise ValueError("the compressed reply is cut off")


def let_go(error: BaseException | None) -> None:
    """Frees what the tracebacks of an error keep: a reply of 60 MB, for as long as its next try waits."""
    while error:
        clear_frames(error.__traceback__)
        error = error.__context__


def body_of(parts: Iterable[bytes], coding: str, growing: Growing) -> bytes:
    """Reads and unpacks a whole reply.

    Args:
        parts: the parts, as they arrive.
        coding: the reply's `Content-Encoding`.
        growing: counts them until the caller has read the body.

    Raises:
        ValueError: it is too large, or not compressed as declared.
    """
    found, unpack = bytearray(), Unpacking(coding)
    for part in parts:
        for piece in unpack.pieces(part):
            growing.add(len(piece))
            found += piece
    unpack.end()
    return bytes(found)


async def abody_of(parts: AsyncIterable[bytes], coding: str, growing: Growing) -> bytes:
    """`body_of` for an event loop."""
    found = bytearray()
    async for piece in unpacked(parts, coding):
        growing.add(len(piece))
        found += piece
    return bytes(found)


async def unpacked(parts: AsyncIterable[bytes], coding: str) -> AsyncIterator[bytes]:
    """Yields a reply unpacked as it arrives; raises as `Unpacking` does."""
    unpack = Unpacking(coding)
    async for part in parts:
        for piece in unpack.pieces(part):
            yield piece
    unpack.end()
