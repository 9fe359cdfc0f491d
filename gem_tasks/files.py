"""Local files: written completely or not at all, readable by their owner only; JSON Lines, split at line feeds only."""

import json
import os
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from stat import S_IMODE, S_ISLNK
from typing import Any
from uuid import uuid4

PRIVATE = 0o077
"""The umask of all files that GEM writes for itself."""
_umasks: list[int] = []


def keep_private() -> None:
    """Makes this process and its children write files that only their owner can read."""
    _umasks.append(os.umask(PRIVATE))


@contextmanager
def for_others() -> Generator[None]:
    """Gives files that the user requested the permissions of the user's umask."""
    before = os.umask(_umasks[0] if _umasks else PRIVATE)
    if not _umasks:
        os.umask(before)
    try:
        yield
    finally:
        os.umask(before)


def make_private(path: Path) -> None:
    """Removes other users' access to a folder and its contents, unless already done; links are not followed.

    It works from the bottom up, so that an interrupted call starts again.
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
    """A temporary file beside `path` that replaces it when the block ends, and is removed when the block fails.

    The temporary name is unique, so that concurrent writers never write into each other's file; the last one wins.
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

    Only a line feed ends a line. `str.splitlines` would also cut at U+2028, U+0085 and others, which JSON strings may
    contain literally.

    Raises:
        OSError: the file cannot be read.
        ValueError: a line is not JSON in UTF-8.
    """
    with path.open("rb") as file:
        for line in file:
            if line.strip():
                yield json.loads(line)


def json_line(value: object) -> str:
    """A value as a line of JSON Lines, in which only its last character ends a line for any reader.

    Some loaders split with `str.splitlines`, which also cuts at U+0085, U+2028 and U+2029: JSON has escapes for them.
    """
    line = json.dumps(value, ensure_ascii=False)
    for sign, escape in _LINE_ENDS.items():
        line = line.replace(sign, escape)  # far faster than `translate`
    return line + "\n"


_LINE_ENDS = {each: f"\\u{ord(each):04x}" for each in "\x85\u2028\u2029"}
