"""A directory as an object store: durable and atomic by temporary file, fsync and rename."""

import os
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

from gem_tasks.errors import StoreError


class LocalStore:
    """Objects are files below `root`; an `ObjectStore`."""

    def __init__(self, root: Path) -> None:
        self._root = root.absolute()

    def put(self, key: str, data: bytes) -> None:
        """Writes beside the target, syncs, renames over it, syncs the folder."""
        path = self._path(key)
        part = path.with_name(f".{path.name}.{uuid4().hex}.part")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with part.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
            _sync_folder(path.parent)
        except OSError as error:
            part.unlink(missing_ok=True)
            raise StoreError(f"{path} cannot be written: {error.strerror}") from error

    def get(self, key: str) -> bytes:
        """Reads the file."""
        path = self._path(key)
        try:
            return path.read_bytes()
        except FileNotFoundError:
            raise KeyError(key) from None
        except OSError as error:
            raise StoreError(f"{path} cannot be read: {error.strerror}") from error

    def exists(self, key: str) -> bool:
        """Whether the file exists."""
        return self._path(key).is_file()

    def list(self, prefix: str) -> Iterator[str]:
        """Files below the prefix's folder; unfinished writes are left out."""
        folder = self._path(prefix) if prefix.endswith("/") or not prefix else self._path(prefix).parent
        names = (path for path in folder.rglob("*") if path.is_file() and not path.name.endswith(".part"))
        found = (path.relative_to(self._root).as_posix() for path in names)
        yield from sorted(key for key in found if key.startswith(prefix))

    def delete(self, key: str) -> None:
        """Removes the file."""
        self._path(key).unlink(missing_ok=True)

    def url(self, key: str) -> str:
        """The file's path."""
        return str(self._path(key))

    def _path(self, key: str) -> Path:
        path = self._root / key
        if ".." in path.parts or not path.is_relative_to(self._root):
            raise StoreError(f"key {key!r} leaves the store")
        return path


def _sync_folder(folder: Path) -> None:
    """Makes the rename itself durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
