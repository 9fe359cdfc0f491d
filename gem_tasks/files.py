"""Local files: written whole or not at all, for their owner alone, and JSON Lines read as what they are."""

import json
import os
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from stat import S_IMODE, S_ISLNK
from typing import Any
from uuid import uuid4

PRIVATE = 0o077
"""The umask of everything that GEM writes for itself."""
_umasks: list[int] = []


def keep_private() -> None:
    """From now on what this process and its children write is their owner's alone."""
    _umasks.append(os.umask(PRIVATE))


@contextmanager
def for_others() -> Generator[None]:
    """What a person asked to have at a place of their own: with the rights that their umask gives."""
    before = os.umask(_umasks[0] if _umasks else PRIVATE)
    if not _umasks:
        os.umask(before)
    try:
        yield
    finally:
        os.umask(before)


def make_private(path: Path) -> None:
    """Takes a folder and all that is in it away from other users, unless that has been done; links are not followed.

    From the bottom up, so that one that was interrupted begins again.
    """
    if not path.exists() or path.is_symlink() or not path.lstat().st_mode & PRIVATE:
        return
    for folder, folders, files in os.walk(path, topdown=False):
        for name in (*files, *folders):
            _close(Path(folder, name))
    _close(path)


def _close(path: Path) -> None:
    with suppress(FileNotFoundError):
        mode = path.lstat().st_mode
        if not S_ISLNK(mode) and mode & PRIVATE:
            path.chmod(S_IMODE(mode) & 0o700)


@contextmanager
def replacing(path: Path) -> Generator[Path]:
    """A temporary file beside `path` that takes its place when the block ends, and is removed when the block fails.

    The temporary name is unique, so that two writers of one file never write into each other's; the last one wins.
    A block that removes the temporary file leaves `path` as it was.

    Raises:
        OSError: the folder does not exist, or `path` cannot be replaced.
    """
    part = path.with_name(f".{path.name}.{uuid4().hex}.part")
    try:
        yield part
        if part.exists():
            part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def json_lines(path: Path) -> Iterator[Any]:
    """The values of a JSON Lines file, one at a time; blank lines are skipped.

    Only a line feed ends a line. `str.splitlines` would also cut at U+2028, U+0085 and others, which JSON strings hold
    as they are.

    Raises:
        OSError: the file cannot be read.
        ValueError: a line is not JSON in UTF-8.
    """
    with path.open("rb") as file:
        for line in file:
            if line.strip():
                yield json.loads(line)
