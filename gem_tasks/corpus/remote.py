"""An object in a bucket as an ordinary binary file, for libraries that want one."""

import io
from typing import cast

import obstore
from obstore.store import ObjectStore

_BUFFER_BYTES = 1 << 20


def open_remote(store: ObjectStore, key: str) -> io.BufferedReader:
    """A seekable stream that fetches ranges as they are read.

    Raises:
        OSError: the object does not exist or cannot be read.
    """
    return io.BufferedReader(_Remote(obstore.open_reader(store, key)), _BUFFER_BYTES)


class _Remote(io.RawIOBase):
    """Adapts obstore's reader, whose results are buffers of its own, to Python's raw I/O protocol."""

    def __init__(self, reader: "obstore.ReadableFile") -> None:
        self._reader = reader

    def readable(self) -> bool:
        """It is for reading."""
        return True

    def seekable(self) -> bool:
        """Parquet files are read from their end."""
        return True

    def readinto(self, buffer: object, /) -> int:
        """Fills the buffer as far as there is something."""
        view = memoryview(cast("bytearray", buffer))
        data = self._reader.read(len(view))
        view[: len(data)] = memoryview(data)
        return len(data)

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Moves without fetching."""
        return self._reader.seek(offset, whence)

    def tell(self) -> int:
        """Where the next byte comes from."""
        return self._reader.tell()
