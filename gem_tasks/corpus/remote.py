"""An object in a bucket as an ordinary binary file, for libraries that want one."""

import io
import re
from collections.abc import Generator
from contextlib import contextmanager
from typing import cast

import obstore
from obstore.exceptions import BaseError, PermissionDeniedError
from obstore.store import ObjectStore

from gem_tasks.connection_faults import of_obstore
from gem_tasks.corpus.objects import ANOTHER_TRY
from gem_tasks.errors import StoreError

_BUFFER_BYTES = 1 << 20
_STATUS = re.compile(r"status code: (4\d\d)")


def open_remote(store: ObjectStore, key: str) -> io.BufferedReader:
    """A seekable stream that fetches ranges as they are read.

    Opening and reading tell two faults apart:

    Raises:
        OSError: this object is gone (obstore raises that itself) or closed to us, which is a fact about it.
        StoreError: the service does not answer, which another try may fix.
    """
    with _faults(key):
        return io.BufferedReader(_Remote(obstore.open_reader(store, key), key), _BUFFER_BYTES)


@contextmanager
def _faults(key: str) -> Generator[None]:
    try:
        yield
    except PermissionDeniedError as error:
        raise PermissionError(of_obstore(error)) from error
    except BaseError as error:
        refused = _STATUS.search(str(error))
        if refused and int(refused[1]) not in ANOTHER_TRY:  # archived, or encrypted with a key that we lack
            raise OSError(of_obstore(error)) from error
        raise StoreError(f"{key} cannot be read: {of_obstore(error)}") from error


class _Remote(io.RawIOBase):
    """Adapts obstore's reader, whose results are buffers of its own, to Python's raw I/O protocol."""

    def __init__(self, reader: "obstore.ReadableFile", key: str) -> None:
        self._reader = reader
        self._key = key

    def readable(self) -> bool:
        """It is for reading."""
        return True

    def seekable(self) -> bool:
        """Parquet files are read from their end."""
        return True

    def readinto(self, buffer: object, /) -> int:
        """Fills the buffer as far as there is something."""
        view = memoryview(cast("bytearray", buffer))
        with _faults(self._key):
            data = self._reader.read(len(view))
        view[: len(data)] = memoryview(data)
        return len(data)

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Moves without fetching."""
        return self._reader.seek(offset, whence)

    def tell(self) -> int:
        """Where the next byte comes from."""
        return self._reader.tell()
