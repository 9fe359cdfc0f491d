"""A folder or a file of this machine as a source: walked without recursion, sorted as object stores sort keys."""

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from urllib.parse import unquote

from gem_tasks.corpus.objects import CLOSED, READABLE, SourceObject, media_type, why
from gem_tasks.errors import UserError


def list_tree(source: str, after: str) -> Iterator[SourceObject]:
    """The readable files of a folder, or the one file, by URI in byte order, from behind `after` on.

    Args:
        source: a path, or a `file://` URI.
        after: only what comes behind this URI.

    Raises:
        UserError: there is no such path, or it cannot be read.
    """
    path = _path(source)
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        raise UserError(f"{path} does not exist", "Check the path.") from None
    except (OSError, ValueError) as error:
        raise UserError(f"{path} cannot be read ({why(error)})", "Check the path and its permissions.") from None
    if not os.access(path, os.R_OK | (os.X_OK if S_ISDIR(mode) else 0)):
        raise UserError(f"{path} cannot be read (Permission denied)", "Check its permissions.")
    if S_ISDIR(mode):
        root = os.path.realpath(path)
        return _walk(root, after)
    if media_type(path.name) is None:
        raise UserError(f"{path} is of no kind that can be read", READABLE)
    # The name as given: in a download cache it is a link to an object whose own name says nothing.
    return (item for item in [_object(str(Path(os.path.realpath(path.parent)) / path.name), True)] if item)


def real_path(source: str) -> Path:
    """Where a path or `file://` URI leads, links followed; it need not exist."""
    return Path(os.path.realpath(_path(source)))


def _path(source: str) -> Path:
    path = Path(os.path.expanduser(source.removeprefix("file://")))  # noqa: PTH111  pathlib's raises for an unknown user
    return path if os.path.lexists(path) else Path(unquote(str(path)))


def _walk(root: str, after: str) -> Iterator[SourceObject]:
    """Depth first; memory holds the entries of the folders on the way down."""
    start = after.encode("utf-8", "surrogatepass")
    waiting = [iter(_entries(root))]
    while waiting:
        entry = next(waiting[-1], None)
        if entry is None:
            waiting.pop()
        elif entry.folder:
            key = _uri(entry.path + "/")
            below = key.encode("utf-8", "surrogatepass")
            if below < start and not start.startswith(below):
                continue
            try:
                waiting.append(iter(_entries(entry.path)))
            except OSError:
                yield SourceObject(key, "unknown", 0, *CLOSED, open=partial(open, entry.path, "rb"))
        elif _uri(entry.path).encode("utf-8", "surrogatepass") > start and _inside(entry, root):
            if found := _object(entry.path, entry.link):
                yield found


class _Entry:
    """One name in a folder."""

    __slots__ = ("folder", "link", "order", "path")

    def __init__(self, entry: "os.DirEntry[str]") -> None:
        self.path = entry.path
        self.link = entry.is_symlink()
        self.folder = entry.is_dir(follow_symlinks=False)
        self.order = os.fsencode(entry.name) + (b"/" if self.folder else b"")


def _entries(folder: str) -> list[_Entry]:
    """What may be of interest, sorted; links to folders are not followed."""
    with os.scandir(folder) as found:
        entries = [_Entry(entry) for entry in found if not entry.name.startswith(".")]
    wanted = [entry for entry in entries if entry.folder or media_type(entry.path)]
    return sorted(wanted, key=lambda entry: entry.order)


def _inside(entry: _Entry, root: str) -> bool:
    # A link that leaves the source would let a folder of documents read any file of the machine.
    return not entry.link or Path(os.path.realpath(entry.path)).is_relative_to(root)


def _object(path: str, linked: bool) -> SourceObject | None:
    """None for what is no file, or gone in this moment; a file that is closed to us is listed all the same."""
    kind = media_type(path)
    if kind is None:
        return None
    try:
        stat = os.stat(path, follow_symlinks=linked)  # noqa: PTH116  a hundred thousand times
    except FileNotFoundError:
        return None
    except OSError:
        return SourceObject(_uri(path), "unknown", 0, *kind, open=partial(open, path, "rb"))
    if not S_ISREG(stat.st_mode):
        return None
    etag = f"{stat.st_mtime_ns}-{stat.st_size}"
    return SourceObject(_uri(path), etag, stat.st_size, *kind, open=partial(open, path, "rb"))


def _uri(path: str) -> str:
    return "file://" + os.fsencode(path).decode("utf-8", "replace")
