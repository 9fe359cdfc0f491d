"""Restores the body of an HTTP answer: joins chunks, undoes content codings, within bounds.

Archives keep bodies as they came over the wire, or undo some codings and still keep the header. So a declared coding is
undone if it is present; a body that is neither compressed nor plain text is refused by name.
"""

import re
import zlib
from collections.abc import Sequence

import pyarrow as pa

from gem_tasks.domain.corpus import IngestReason

_CHUNK_SIZE = re.compile(rb"[ \t]*([0-9a-fA-F]{1,8})[ \t]*(?:;[^\r\n]{0,1000})?(\r?\n)")
_GZIP, _ZLIB, _RAW = 31, 15, -15
"""zlib's window bits."""
_MOST_MEMBERS = 1000
"""Gzip members of a body. Each copies what follows it: a million empty ones would take hours."""
_MOST_CODINGS = 10
"""Layers of compression of a body; servers use one or two, and each may take as long as undoing the first."""
_MAGIC = {"gzip": b"\x1f\x8b", "zstd": b"\x28\xb5\x2f\xfd"}
_SAME = {"x-gzip": "gzip", "x-deflate": "deflate", "brotli": "br"}
_CONTROL = bytes(set(range(32)) - {9, 10, 12, 13, 27})
_PIECE = 1 << 20


class BodyError(Exception):
    """The body has no usable text.

    Attributes:
        reason: `too_large` or `unreadable`.
    """

    def __init__(self, reason: IngestReason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


def decoded_body(data: bytes, content: Sequence[str], transfer: Sequence[str], limit: int) -> bytes:
    """The body without its codings.

    Args:
        data: body as archived.
        content: values of `Content-Encoding`, in order.
        transfer: values of `Transfer-Encoding`, in order.
        limit: most bytes, at every step.

    Raises:
        BodyError: it is larger, is cut off, has an unknown coding, or too many.
    """
    codings = [*_listed(content), *_listed(transfer)]
    if len(codings) > _MOST_CODINGS:
        raise _broken(f"it names {len(codings)} codings")
    for coding in reversed(codings):
        data = _undone(_SAME.get(coding, coding), data, limit)
    return data


def _listed(values: Sequence[str]) -> list[str]:
    found = [each.strip().lower() for value in values for each in value.split(",")]
    return [each for each in found if each and each != "identity"]


def _undone(coding: str, data: bytes, limit: int) -> bytes:
    if coding == "chunked":
        return _joined(data)
    magic = _MAGIC.get(coding)
    try:
        if magic:
            return _unpacked(coding, data, limit) if data.startswith(magic) else _plain(coding, data)
        if coding == "deflate":
            return _deflated(data, limit)
        return _unpacked(coding, data, limit) if coding == "br" else _plain(coding, data)
    except (zlib.error, OSError) as error:
        if magic:
            raise _broken(f"its {coding} coding is damaged ({str(error)[:80]})") from error
        return _plain(coding, data)


def _unpacked(coding: str, data: bytes, limit: int) -> bytes:
    if coding == "gzip":
        return _inflated(data, _GZIP, limit)
    stream = pa.CompressedInputStream(pa.BufferReader(data), "brotli" if coding == "br" else "zstd")
    unpacked = bytearray()
    while len(unpacked) <= limit and (piece := stream.read(min(_PIECE, limit + 1 - len(unpacked)))):
        unpacked += piece
    return _bounded(unpacked, limit)


def _deflated(data: bytes, limit: int) -> bytes:
    """With zlib's header, as the standard requires, or without, as some servers send it."""
    if data[:1] and data[0] & 15 == zlib.DEFLATED and not int.from_bytes(data[:2], "big") % 31:
        return _inflated(data, _ZLIB, limit)
    return _inflated(data, _RAW, limit)


def _inflated(data: bytes, window: int, limit: int) -> bytes:
    unpacked = bytearray()
    for _ in range(_MOST_MEMBERS):
        member = zlib.decompressobj(wbits=window)
        unpacked += member.decompress(data, limit + 1 - len(unpacked))
        _bounded(unpacked, limit)
        if not member.eof:
            raise zlib.error("it breaks off")
        data = member.unused_data
        if not (window == _GZIP and data.startswith(_MAGIC["gzip"])):
            return bytes(unpacked)
    raise zlib.error(f"more than {_MOST_MEMBERS} members")


def _bounded(data: bytearray, limit: int) -> bytes:
    if len(data) > limit:
        raise BodyError(IngestReason.TOO_LARGE, f"more than {limit} bytes")
    return bytes(data)


def _plain(coding: str, data: bytes) -> bytes:
    """The unchanged body, if it is text: the archive undid the coding and kept the header."""
    if data.lstrip()[:1] != b"<" and len(data) != len(data.translate(None, _CONTROL)):
        raise _broken(f"its content coding {coding[:40]!r} cannot be undone")
    return data


def _joined(data: bytes) -> bytes:
    """Joins chunks; returns a body without chunks unchanged."""
    parts: list[bytes] = []
    position = 0
    while size := _CHUNK_SIZE.match(data, position):
        length = int(size[1], 16)
        if not length:
            return b"".join(parts)
        end = size.end() + length
        line_end = size[2]
        if not data.startswith(line_end, end):
            if parts or (end >= len(data) and line_end == b"\r\n"):
                raise _broken("it breaks off within a chunk")
            return data  # a text that begins with a number
        parts.append(data[size.end() : end])
        position = end + len(line_end)
    if parts:
        raise _broken("it breaks off between chunks")
    return data


def _broken(detail: str) -> BodyError:
    return BodyError(IngestReason.UNREADABLE, detail)
