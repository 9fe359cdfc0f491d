"""A folder or a file of this machine as a source: walked without recursion, sorted as object stores sort keys."""

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from stat import S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFMT, S_IFSOCK, S_ISDIR, S_ISREG
from typing import IO
from urllib.parse import quote_from_bytes, unquote_to_bytes

from gem_tasks.corpus.objects import CLOSED, READABLE, SourceObject, media_type, why
from gem_tasks.errors import UserError

_KINDS = {
    S_IFIFO: "a pipe",
    S_IFSOCK: "a socket",
    S_IFCHR: "a device",
    S_IFBLK: "a device",
    S_IFDIR: "a folder under a link's name",
}


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
        return _walk(os.path.realpath(path), after)
    if media_type(path.name) is None:
        raise UserError(f"{path} is of no kind that can be read", READABLE)
    # The name as given: in a download cache it is a link to an object whose own name says nothing.
    real = str(Path(os.path.realpath(path.parent)) / path.name)
    return (item for item in [_object(real, file_uri(real), True)] if item)


def real_path(source: str) -> Path:
    """Where a path or `file://` URI leads, links followed; it need not exist."""
    return Path(os.path.realpath(_path(source)))


def _path(source: str) -> Path:
    path = Path(os.path.expanduser(source.removeprefix("file://")))  # noqa: PTH111  pathlib's raises for an unknown user
    return path if os.path.lexists(path) else Path(os.fsdecode(unquote_to_bytes(os.fsencode(path))))


def _walk(root: str, after: str) -> Iterator[SourceObject]:
    """Depth first; memory holds the entries of the folders on the way down."""
    start = after.encode("utf-8", "surrogatepass")
    waiting = [iter(_entries(root))]
    while waiting:
        entry = next(waiting[-1], None)
        if entry is None:
            waiting.pop()
        elif entry.folder:
            below = entry.uri.encode()
            if below < start and not start.startswith(below):
                continue
            try:
                waiting.append(iter(_entries(entry.path)))
            except (FileNotFoundError, NotADirectoryError):
                continue  # gone in this moment
            except OSError:
                yield SourceObject(entry.uri, "unknown", 0, *CLOSED, open=partial(open, entry.path, "rb"))
        elif entry.uri.encode() > start and _inside(entry, root):
            if found := _object(entry.path, entry.uri, entry.link):
                yield found


class _Entry:
    """One name in a folder."""

    __slots__ = ("folder", "link", "path", "uri")

    def __init__(self, entry: "os.DirEntry[str]", above: str) -> None:
        self.path = entry.path
        self.link = entry.is_symlink()
        self.folder = _is_folder(entry)
        self.uri = f"{above}/{_name(entry.name)}" + ("/" if self.folder else "")


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir(follow_symlinks=False)
    except OSError:  # asked of a file system that does not say it in its listing
        return False


def _name(name: str) -> str:
    """A file's name in a URI. Different names differ there, too, and valid ones stay as they are.

    One that is no UTF-8 is percent-encoded, as in any URI. A second slash before it, which no path contains, tells it
    from a name that has the percent sign itself.
    """
    try:
        name.encode()
    except UnicodeEncodeError:
        return "/" + quote_from_bytes(os.fsencode(name))
    return name


def _entries(folder: str) -> list[_Entry]:
    """What may be of interest, sorted as URIs; links to folders are not followed."""
    uri = file_uri(folder.rstrip("/"))
    with os.scandir(folder) as found:
        entries = [_Entry(entry, uri) for entry in found if not entry.name.startswith(".")]
    wanted = [entry for entry in entries if entry.folder or media_type(entry.path)]
    return sorted(wanted, key=lambda entry: entry.uri.encode())


def _inside(entry: _Entry, root: str) -> bool:
    # A link that leaves the source would let a folder of documents read any file of the machine.
    return not entry.link or Path(os.path.realpath(entry.path)).is_relative_to(root)


def _object(path: str, uri: str, linked: bool) -> SourceObject | None:
    """None for what is gone in this moment; what is closed to us or no file is listed, and reading it says why."""
    kind = media_type(path)
    if kind is None:
        return None
    try:
        stat = os.stat(path, follow_symlinks=linked)  # noqa: PTH116  a hundred thousand times
    except FileNotFoundError:
        return None
    except OSError:
        return SourceObject(uri, "unknown", 0, *kind, open=partial(_open, path))
    etag = f"{stat.st_mtime_ns}-{stat.st_size}"
    return SourceObject(uri, etag, stat.st_size, *kind, open=partial(_open, path))


def _open(path: str) -> IO[bytes]:
    """Opens a file, and never waits for a pipe's other end.

    Raises:
        OSError: it cannot be opened, or is a pipe, a socket, a device or a folder.
    """
    kind = os.stat(path).st_mode  # noqa: PTH116  a device may do something when it is opened
    if not S_ISREG(kind):
        raise OSError(f"{_KINDS.get(S_IFMT(kind), 'something else')}, not a file")
    return open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK))


def file_uri(path: str) -> str:
    """The URI of an absolute path; `list_tree` takes it, too."""
    return "file://" + "/".join(_name(name) for name in path.split("/"))
