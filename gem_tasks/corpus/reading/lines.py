"""Lines of a stream as UTF-8, for every Unicode encoding and line end; memory holds one line."""

import codecs
from collections.abc import Iterable, Iterator
from typing import IO

from gem_tasks.corpus.reading.decode import wide_encoding

_CHUNK = 1 << 20
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def in_utf8(stream: IO[bytes]) -> Iterator[bytes]:
    """A stream's bytes in pieces; UTF-16 and UTF-32 are recoded, with U+FFFD for broken parts."""
    first = stream.read(_CHUNK)
    mark, encoding = next((each for each in _MARKS if first.startswith(each[0])), (b"", wide_encoding(first)))
    pieces = _pieces(first.removeprefix(mark), stream)
    if encoding is None:
        yield from pieces
        return
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    for piece in pieces:
        yield decoder.decode(piece).encode("utf-8", "replace")
    yield decoder.decode(b"", final=True).encode("utf-8", "replace")


def _pieces(first: bytes, stream: IO[bytes]) -> Iterator[bytes]:
    yield first
    while piece := stream.read(_CHUNK):
        yield piece


def lines(pieces: Iterable[bytes], limit: int) -> Iterator[tuple[int, bytes | None]]:
    """`(line number from 1, line)`; None for a line over the limit, which is skipped without being stored.

    Lines end with LF, CRLF or CR; a JSON string contains none of these.
    """
    number, buffer, skipping = 1, bytearray(), False
    for piece in _one_line_end(pieces):
        for index, part in enumerate(piece.split(b"\n")):
            if index:
                yield number, None if skipping else bytes(buffer)
                number, buffer, skipping = number + 1, bytearray(), False
            if not skipping:
                buffer += part
                if len(buffer) > limit:
                    buffer, skipping = bytearray(), True
    if buffer or skipping:
        yield number, None if skipping else bytes(buffer)


def _one_line_end(pieces: Iterable[bytes]) -> Iterator[bytes]:
    after_return = False
    for piece in pieces:
        if after_return and piece:
            piece = piece.removeprefix(b"\n")
        if piece:
            after_return = piece.endswith(b"\r")
        yield piece.replace(b"\r\n", b"\n").replace(b"\r", b"\n") if b"\r" in piece else piece
