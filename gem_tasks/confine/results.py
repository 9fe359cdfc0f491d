"""Checks what a confined program left in its folder before GEM reads it: files and folders only, of limited size."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from gem_tasks.errors import GemError

MAX_FILES = 100_000


class TamperedError(GemError):
    """A program left a link that leads out of its folder."""


def require_plain(folder: Path, most_file_bytes: int | None = None) -> None:
    """Checks every entry of a folder, without following links.

    Args:
        folder: a folder whose writers have ended.
        most_file_bytes: maximum size of one file; None: no limit.

    Raises:
        TamperedError: there is a link, a device, a pipe or a socket, a file is too large, or there are too many.
    """
    for count, entry in enumerate(_entries(folder)):
        found = entry.stat(follow_symlinks=False)
        if not (stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode)):
            raise TamperedError(
                f"{entry.path} is neither a file nor a folder, so GEM does not trust this run's results"
            )
        if most_file_bytes is not None and stat.S_ISREG(found.st_mode) and found.st_size > most_file_bytes:
            raise TamperedError(f"{entry.path} has {found.st_size} bytes; the limit is {most_file_bytes}")
        if count > MAX_FILES:
            raise TamperedError(f"{folder} has more than {MAX_FILES} files")


def printable(text: str) -> str:
    """A program's text without characters that act on terminals, pages or Postgres."""
    return "".join(char if char.isprintable() else " " for char in text)


def _entries(folder: Path) -> Iterator["os.DirEntry[str]"]:
    waiting = [str(folder)]
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                yield entry
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
