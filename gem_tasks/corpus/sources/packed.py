"""Streams of compressed files. Each notices a file that is cut off."""

import bz2
import io
import lzma
from typing import IO, Any, cast

import pyarrow as pa

_XZ_BYTES = 100 << 20
"""Memory for unpacking xz; its strongest preset needs 65 MB."""
_PIECE = 256 << 10


def unpacked(stored: IO[bytes], compression: str) -> IO[bytes]:
    """The content of a file.

    Arrow's streams for gzip and zstd detect a truncated file; zstandard's own reader takes it for the end.

    Args:
        stored: the file.
        compression: `.gz`, `.zst`, `.bz2`, `.xz`, or empty.
    """
    if not compression:
        return stored
    if compression == ".bz2":
        return cast("IO[bytes]", bz2.BZ2File(stored))
    if compression == ".xz":
        return cast("IO[bytes]", io.BufferedReader(_Xz(stored), _PIECE))
    codec = "gzip" if compression == ".gz" else "zstd"
    return cast("IO[bytes]", pa.CompressedInputStream(pa.PythonFile(cast("Any", stored), mode="r"), codec))


class _Xz(io.RawIOBase):
    """Unpacks xz with bounded memory, which `lzma.open` cannot."""

    def __init__(self, stored: IO[bytes]) -> None:
        self._stored, self._unpack = stored, _xz()
        self._packed = b""

    def readable(self) -> bool:
        """Always True."""
        return True

    def readinto(self, buffer: object, /) -> int:
        """Fills a part of the buffer; 0 at the end.

        Raises:
            OSError: it is damaged or cut off, or needs too much memory.
        """
        view = memoryview(cast("bytearray", buffer))
        try:
            data = self._next(len(view))
        except lzma.LZMAError as error:
            raise OSError(f"xz: {error}") from error
        view[: len(data)] = data
        return len(data)

    def _next(self, size: int) -> bytes:
        while True:
            if self._unpack.eof:
                rest = (self._unpack.unused_data or self._stored.read(_PIECE)).lstrip(b"\0")  # padding
                if not rest:
                    return b""
                self._unpack, self._packed = _xz(), rest
            elif self._unpack.needs_input and not self._packed:
                self._packed = self._stored.read(_PIECE)
                if not self._packed:
                    raise OSError("xz: the file is cut off")
            data, self._packed = self._unpack.decompress(self._packed, size), b""
            if data:
                return data


def _xz() -> lzma.LZMADecompressor:
    return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_XZ_BYTES)
