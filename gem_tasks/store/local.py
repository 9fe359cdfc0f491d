"""A directory as an object store: durable and atomic by temporary file, fsync and rename."""

import os
import re
import shutil
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from itertools import takewhile
from pathlib import Path
from uuid import uuid4

from gem_tasks.errors import StoreError
from gem_tasks.ports import StoredObject
from gem_tasks.store.keys import checked, checked_prefix

_PART = ".part"
_UNFINISHED = re.compile(rf"\..+\.[0-9a-f]{{32}}{re.escape(_PART)}", re.DOTALL)
"""Only the names of `_write`: `gem gc` removes them."""
_CHUNK = 1 << 20


class LocalStore:
    """Objects are files below `root`; an `ObjectStore`."""

    def __init__(self, root: Path) -> None:
        self._root = root.absolute()

    def put(self, key: str, data: bytes | Path) -> None:
        """Writes a temporary file in the folder, syncs it, renames it, and syncs the folder."""
        self._write(key, data, lambda part, path: part.replace(path))

    def create(self, key: str, data: bytes) -> bool:
        """Like `put`, with a hard link instead of the rename: it fails if the file exists."""
        try:
            self._write(key, data, _link)
        except _TakenError:
            return False
        return True

    def _write(self, key: str, data: bytes | Path, name: Callable[[Path, Path], object]) -> None:
        path = self._root / checked(key)
        part = path.with_name(f".{path.name}.{uuid4().hex}{_PART}")
        with _faults(path, "written"):
            _make_folder(path.parent)
            try:
                with part.open("wb") as file:
                    if isinstance(data, Path):
                        with data.open("rb") as source:
                            shutil.copyfileobj(source, file, _CHUNK)
                    else:
                        file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
                name(part, path)
            finally:
                with suppress(OSError):
                    part.unlink()
            _sync_folder(path.parent)

    def get(self, key: str) -> bytes:
        """Reads the file."""
        path = self._root / checked(key)
        with _faults(path, "read"):
            try:
                return path.read_bytes()
            except FileNotFoundError:
                raise KeyError(key) from None

    def chunks(self, key: str) -> Iterator[bytes]:
        """Reads the file by megabytes."""
        path = self._root / checked(key)
        with _faults(path, "read"):
            try:
                with path.open("rb") as file:
                    yield from iter(lambda: file.read(_CHUNK), b"")
            except FileNotFoundError:
                raise KeyError(key) from None

    def exists(self, key: str) -> bool:
        """Whether the file exists."""
        return (self._root / checked(key)).is_file()

    def list(self, prefix: str) -> Iterator[str]:
        """Files below the prefix's folder, without unfinished writes."""
        folder = self._root / checked_prefix(prefix).rpartition("/")[0]
        with _faults(folder, "listed"):
            files = [path for path in folder.rglob("*") if path.is_file() and not _unfinished(path)]
        found = (path.relative_to(self._root).as_posix() for path in files)
        yield from sorted(key for key in found if key.startswith(prefix))

    def scan(self, folder: str) -> Iterator[StoredObject]:
        """Walks the folders; skips unfinished writes, and files deleted meanwhile."""
        return self._walk(folder, unfinished=False)

    def scan_unfinished(self) -> Iterator[StoredObject]:
        """Remains of writes that were killed; includes writes in progress."""
        return self._walk("", unfinished=True)

    def _walk(self, folder: str, *, unfinished: bool) -> Iterator[StoredObject]:
        top = self._root / checked_prefix(folder)
        with _faults(top, "listed"):
            for place, _, names in os.walk(top):
                for name in names:
                    path = Path(place) / name
                    if _unfinished(path) is unfinished:
                        with suppress(FileNotFoundError):
                            yield self._described(path)

    def stat(self, key: str) -> StoredObject | None:
        """Asks the file system."""
        path = self._root / checked(key)
        with _faults(path, "read"):
            try:
                return self._described(path) if path.is_file() else None
            except FileNotFoundError:
                return None

    def _described(self, path: Path) -> StoredObject:
        found = path.stat()
        modified = datetime.fromtimestamp(found.st_mtime, UTC)
        return StoredObject(path.relative_to(self._root).as_posix(), found.st_size, modified)

    def delete(self, key: str) -> None:
        """Removes the file."""
        path = self._root / checked(key)
        with _faults(path, "deleted"), suppress(FileNotFoundError):
            path.unlink()

    def is_there(self) -> bool:
        """Whether the directory exists; the first write creates it."""
        return self._root.is_dir()

    def url(self, key: str) -> str:
        """The file's path."""
        return str(self._root / checked_prefix(key))


class _TakenError(Exception):
    """The file already exists."""


def _link(part: Path, path: Path) -> None:
    try:
        path.hardlink_to(part)
    except FileExistsError:
        raise _TakenError from None


@contextmanager
def _faults(path: Path, done: str) -> Generator[None]:
    """Translates the system's errors into GEM's."""
    try:
        yield
    except OSError as error:
        raise StoreError(f"{path} cannot be {done}: {error.strerror}") from error


def _unfinished(path: Path) -> bool:
    return _UNFINISHED.fullmatch(path.name) is not None


def _make_folder(folder: Path) -> None:
    """Makes the folder and its parents as durable as the files in it."""
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
