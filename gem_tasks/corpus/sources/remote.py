"""An object in a bucket as an ordinary binary file, for libraries that need one."""

import io
import re
from collections.abc import Generator
from contextlib import contextmanager
from typing import cast

import obstore
from obstore.exceptions import BaseError, PermissionDeniedError
from obstore.store import ObjectStore

from gem_tasks.connection_faults import of_obstore
from gem_tasks.corpus.sources.objects import ANOTHER_TRY
from gem_tasks.errors import StoreError

_BUFFER_BYTES = 1 << 20
_STATUS = re.compile(r"status code: (4\d\d)")


def open_remote(store: ObjectStore, key: str) -> io.BufferedReader:
    """A seekable stream that fetches ranges as they are read.

    Opening and reading distinguish two faults:

    Raises:
        OSError: this object no longer exists (raised by obstore itself) or GEM may not read it: a fault of the object.
        StoreError: the service does not answer: a retry may help.
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
        if refused and int(refused[1]) not in ANOTHER_TRY:  # archived, or encrypted with a key that GEM lacks
            raise OSError(of_obstore(error)) from error
        raise StoreError(f"{key} cannot be read: {of_obstore(error)}") from error


class _Remote(io.RawIOBase):
    """Adapts obstore's reader, which returns its own buffers, to Python's raw I/O protocol."""

    def __init__(self, reader: "obstore.ReadableFile", key: str) -> None:
        self._reader = reader
        self._key = key

    def readable(self) -> bool:
        """Always True."""
        return True

    def seekable(self) -> bool:
        """Always True: Parquet files are read from their end."""
        return True

    def readinto(self, buffer: object, /) -> int:
        """Fills the buffer as far as data is available."""
        view = memoryview(cast("bytearray", buffer))
        with _faults(self._key):
            data = self._reader.read(len(view))
        view[: len(data)] = memoryview(data)
        return len(data)

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Moves without fetching."""
        return self._reader.seek(offset, whence)

    def tell(self) -> int:
        """Position of the next byte."""
        return self._reader.tell()
