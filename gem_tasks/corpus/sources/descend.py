"""Opens exactly the listed file or folder, never something that replaced it.

A path without links is walked name by name; each name is opened in the folder before it, and no link is followed. An
attacker with write access to a source can swap a file or a folder for a link at any moment, but cannot make GEM leave
the source.
"""

import errno
import os
from stat import S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFMT, S_IFSOCK, S_ISREG
from typing import IO

_KINDS = {
    S_IFIFO: "a pipe",
    S_IFSOCK: "a socket",
    S_IFCHR: "a device",
    S_IFBLK: "a device",
    S_IFDIR: "a folder under a link's name",
    S_IFLNK: "a link that replaced the listed file",
}
_FOLDER = os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_STEP = _FOLDER | getattr(os, "O_PATH", os.O_RDONLY)
"""Passing through a folder requires no right to list it."""
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
"""Does not wait for the other end of a pipe."""


def open_file(path: str) -> IO[bytes]:
    """Opens a regular file.

    Args:
        path: absolute, and without links when it was listed.

    Raises:
        OSError: it cannot be opened, has a link in its path, or is a pipe, a socket, a device or a folder.
    """
    above, name = os.path.split(path)
    folder = open_folder(above, _STEP)
    try:
        _require_file(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode)  # opening a device may have effects
        descriptor = os.open(name, _FILE, dir_fd=folder)
    finally:
        os.close(folder)
    try:
        _require_file(os.fstat(descriptor).st_mode)
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def open_folder(path: str, flags: int = _FOLDER) -> int:
    """A descriptor of a folder, for the caller to close.

    Raises:
        OSError: it no longer exists, may not be entered, or has a link in its path.
    """
    descriptor = os.open("/", _STEP)
    names = [name for name in path.split("/") if name]
    for place, name in enumerate(names, 1):
        try:
            below = os.open(name, flags if place == len(names) else _STEP, dir_fd=descriptor)
        except OSError as error:
            if error.errno in (errno.ELOOP, errno.ENOTDIR) and os.path.islink("/" + "/".join(names[:place])):  # noqa: PTH114
                raise OSError(f"{name} is {_KINDS[S_IFLNK]}") from None
            raise
        finally:
            os.close(descriptor)
        descriptor = below
    return descriptor


def _require_file(mode: int) -> None:
    if not S_ISREG(mode):
        raise OSError(f"{_KINDS.get(S_IFMT(mode), 'something else')}, not a file")
