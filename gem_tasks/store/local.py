"""A directory as an object store: durable and atomic by temporary file, fsync and rename."""

import os
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from itertools import takewhile
from pathlib import Path
from uuid import uuid4

from gem_tasks.errors import StoreError
from gem_tasks.store.keys import checked, checked_prefix

_PART = ".part"


class LocalStore:
    """Objects are files below `root`; an `ObjectStore`."""

    def __init__(self, root: Path) -> None:
        self._root = root.absolute()

    def put(self, key: str, data: bytes) -> None:
        """Writes beside the target, syncs, renames over it, syncs the folder."""
        path = self._root / checked(key)
        part = path.with_name(f".{path.name}.{uuid4().hex}{_PART}")
        with _faults(path, "written"):
            _make_folder(path.parent)
            try:
                with part.open("wb") as file:
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
                part.replace(path)
            except BaseException:
                with suppress(OSError):
                    part.unlink()
                raise
            _sync_folder(path.parent)

    def get(self, key: str) -> bytes:
        """Reads the file."""
        path = self._root / checked(key)
        with _faults(path, "read"):
            try:
                return path.read_bytes()
            except FileNotFoundError:
                raise KeyError(key) from None

    def exists(self, key: str) -> bool:
        """Whether the file exists."""
        return (self._root / checked(key)).is_file()

    def list(self, prefix: str) -> Iterator[str]:
        """Files below the prefix's folder; unfinished writes are left out."""
        folder = self._root / checked_prefix(prefix).rpartition("/")[0]
        with _faults(folder, "listed"):
            files = [path for path in folder.rglob("*") if path.is_file() and not _unfinished(path)]
        found = (path.relative_to(self._root).as_posix() for path in files)
        yield from sorted(key for key in found if key.startswith(prefix))

    def delete(self, key: str) -> None:
        """Removes the file."""
        path = self._root / checked(key)
        with _faults(path, "deleted"), suppress(FileNotFoundError):
            path.unlink()

    def url(self, key: str) -> str:
        """The file's path."""
        return str(self._root / checked_prefix(key))


@contextmanager
def _faults(path: Path, done: str) -> Generator[None]:
    """Turns the system's errors into ours."""
    try:
        yield
    except OSError as error:
        raise StoreError(f"{path} cannot be {done}: {error.strerror}") from error


def _unfinished(path: Path) -> bool:
    return path.name.startswith(".") and path.name.endswith(_PART)


def _make_folder(folder: Path) -> None:
    """Makes the folder and those above it as durable as the files in it."""
    missing = list(takewhile(lambda above: not above.exists(), (folder, *folder.parents)))
    folder.mkdir(parents=True, exist_ok=True)
    for made in missing:
        _sync_folder(made.parent)


def _sync_folder(folder: Path) -> None:
    """Makes names in the folder durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
