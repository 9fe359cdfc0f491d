"""A folder or a file of this machine as a source: walked without recursion, sorted like keys in object stores."""

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from stat import S_ISDIR
from typing import IO
from urllib.parse import quote_from_bytes, unquote_to_bytes

from gem_tasks.corpus.sources.descend import open_file, open_folder
from gem_tasks.corpus.sources.objects import CLOSED, READABLE, SourceObject, media_type, why
from gem_tasks.errors import UserError

_NO_SOURCES = ("/proc/", "/sys/", "/dev/")
"""File systems that the system generates: the environment of processes, memory, devices."""


def list_tree(source: str, after: str) -> Iterator[SourceObject]:
    """The readable files of a folder, or the one file, by URI in byte order, after `after`.

    Args:
        source: a path, or a `file://` URI.
        after: only files after this URI.

    Raises:
        UserError: the path does not exist, or cannot be read.
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
        _refuse_made_up(f"{root}/")
        return _walk(root, after)
    if media_type(path.name) is None:
        raise UserError(f"{path} has an unsupported format", READABLE)
    # The name as given: in a download cache it is a link to an object with a meaningless name.
    name = str(Path(os.path.realpath(path.parent)) / path.name)
    real = os.path.realpath(name)
    _refuse_made_up(real)
    return (item for item in [_object(real, file_uri(name))] if item)


def _refuse_made_up(real: str) -> None:
    if real.startswith(_NO_SOURCES) and not real.startswith("/dev/shm/"):  # noqa: S108 - a disk in memory
        raise UserError(f"{real} is not a document: the system generates it", "Give a file or a folder on a disk.")


def real_path(source: str) -> Path:
    """Target of a path or `file://` URI, links followed; it need not exist."""
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
                continue  # deleted just now
            except OSError:
                opener = partial(_open_closed, entry.path)
                yield SourceObject(entry.uri, "unknown", 0, *CLOSED, open=opener, path=entry.path)
        elif entry.uri.encode() > start and (real := _real(entry, root)):
            if found := _object(real, entry.uri):
                yield found


class _Entry:
    """One name in a folder."""

    __slots__ = ("folder", "link", "path", "uri")

    def __init__(self, entry: "os.DirEntry[str]", folder: str, above: str) -> None:
        self.path = f"{folder}/{entry.name}"
        self.link = entry.is_symlink()
        self.folder = _is_folder(entry)
        self.uri = f"{above}/{_name(entry.name)}" + ("/" if self.folder else "")


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir(follow_symlinks=False)
    except OSError:  # for file systems whose listing does not include it
        return False


def _name(name: str) -> str:
    """A file's name in a URI. Different names stay different, and valid ones stay unchanged.

    A name that is not UTF-8 is percent-encoded, as in any URI. A second slash before it, which no path contains,
    distinguishes it from a name with a literal percent sign.
    """
    try:
        name.encode()
    except UnicodeEncodeError:
        return "/" + quote_from_bytes(os.fsencode(name))
    return name


def _entries(folder: str) -> list[_Entry]:
    """Entries of a folder that may matter, sorted as URIs; links to folders are not followed."""
    folder = folder.rstrip("/")
    uri = file_uri(folder)
    descriptor = open_folder(folder)
    try:
        with os.scandir(descriptor) as found:
            entries = [_Entry(entry, folder, uri) for entry in found if not entry.name.startswith(".")]
    finally:
        os.close(descriptor)
    wanted = [entry for entry in entries if entry.folder or media_type(entry.path)]
    return sorted(wanted, key=lambda entry: entry.uri.encode())


def _real(entry: _Entry, root: str) -> str | None:
    """The file itself. None for a link that leaves the source, which would expose any file of the machine."""
    if not entry.link:
        return entry.path
    try:
        real = os.path.realpath(entry.path)
    except OSError:  # it leads through a link that may not be read, such as /proc/1/root
        return None
    return real if Path(real).is_relative_to(root) else None


def _object(path: str, uri: str) -> SourceObject | None:
    """None for a file deleted just now; closed files and non-files are listed, and reading them gives the reason.

    Args:
        path: path without links.
        uri: its name in the source.
    """
    kind = media_type(uri)
    if kind is None:
        return None
    opener = partial(open_file, path)
    try:
        stat = os.stat(path, follow_symlinks=False)  # noqa: PTH116  a hundred thousand times
    except FileNotFoundError:
        return None
    except OSError:
        return SourceObject(uri, "unknown", 0, *kind, open=opener, path=path)
    etag = f"{stat.st_mtime_ns}-{stat.st_size}"
    return SourceObject(uri, etag, stat.st_size, *kind, open=opener, path=path)


def _open_closed(path: str) -> IO[bytes]:
    """Raises the reason why a folder could not be listed.

    Raises:
        OSError: always.
    """
    os.close(open_folder(path))
    raise OSError("the folder could not be listed")


def file_uri(path: str) -> str:
    """The URI of an absolute path, which `list_tree` accepts."""
    return "file://" + "/".join(_name(name) for name in path.split("/"))
