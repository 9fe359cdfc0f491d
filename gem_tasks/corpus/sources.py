"""What a source holds: the readable files of a path or a bucket, with the version each has now.

Hidden files and files of other kinds are passed over. What is there but closed to us is listed all the same, so that
reading it gives it a reason.
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from typing import IO
from urllib.parse import unquote

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

from gem_tasks.corpus.remote import open_remote
from gem_tasks.errors import UserError
from gem_tasks.store.s3 import open_bucket

FORMATS = {
    ".txt": "text/plain",
    ".md": "text/markdown",
    ".markdown": "text/markdown",
    ".html": "text/html",
    ".htm": "text/html",
    ".jsonl": "application/jsonl",
    ".parquet": "application/parquet",
}
COMPRESSIONS = (".gz", ".zst")
_READABLE = f"Readable are {' '.join(FORMATS)}, all but Parquet also as .gz or .zst."


@dataclass(frozen=True, slots=True)
class SourceObject:
    """One file to read."""

    uri: str
    """`file:///…` or `s3://bucket/key`. Bytes of a local name that are no UTF-8 appear as U+FFFD."""
    etag: str
    """The store's etag, or modification time (ns) and size of a local file."""
    size: int
    """Bytes, as stored."""
    media_type: str
    compression: str
    """`.gz`, `.zst`, or empty."""
    open: Callable[[], IO[bytes]] = field(repr=False, compare=False)
    """A seekable stream of the stored bytes. Raises OSError if this file cannot be read."""


def list_objects(source: str) -> Iterator[SourceObject]:
    """The readable files of a source, in an order that stays the same.

    Args:
        source: a file, a folder, `file:///…`, `s3://bucket/prefix` or `s3://bucket/key`.

    Raises:
        UserError: the source does not exist, cannot be read, or holds nothing that can be read.
    """
    scheme, separator, rest = source.partition("://")
    if source and (not separator or scheme == "file"):
        found = _local(_path(rest if separator else source))
    elif scheme == "s3" and rest.partition("/")[0]:
        found = _bucket(*rest.partition("/")[::2])
    else:
        raise UserError(f"{source!r} is no source", "Give a file, a folder, or s3://bucket/prefix.")
    empty = True
    for item in found:
        empty = False
        yield item
    if empty:
        raise UserError(f"{source} holds nothing that can be read", _READABLE)


def media_type(name: str) -> tuple[str, str] | None:
    """`(media type, compression)` by a file's name, None if it is not of a readable kind."""
    stem = name.lower()
    compression = next((suffix for suffix in COMPRESSIONS if stem.endswith(suffix)), "")
    kind = FORMATS.get(Path(stem.removesuffix(compression)).suffix)
    return (kind, compression) if kind else None


def _path(name: str) -> Path:
    path = Path(os.path.expanduser(name))  # noqa: PTH111  pathlib's raises for an unknown user
    return path if os.path.lexists(path) else Path(unquote(str(path)))


def _local(path: Path) -> Iterator[SourceObject]:
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        raise UserError(f"{path} does not exist", "Check the path.") from None
    except (OSError, ValueError) as error:
        raise UserError(f"{path} cannot be read ({_why(error)})", "Check the path and its permissions.") from None
    if not os.access(path, os.R_OK | (os.X_OK if S_ISDIR(mode) else 0)):
        raise UserError(f"{path} cannot be read (Permission denied)", "Check its permissions.")
    if S_ISDIR(mode):
        yield from _tree(Path(os.path.realpath(path)))
    elif media_type(path.name) is None:
        raise UserError(f"{path} is of no kind that can be read", _READABLE)
    else:
        # The name as given: in a download cache it is a link to an object whose own name says nothing.
        yield from _file(Path(os.path.realpath(path.parent)) / path.name)


def _tree(root: Path) -> Iterator[SourceObject]:
    closed: list[OSError] = []
    for folder, folders, names in os.walk(root, onerror=closed.append):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(folder, name)
            # A link that leaves the source would let a folder of documents read any file of the machine.
            if not name.startswith(".") and Path(os.path.realpath(path)).is_relative_to(root):
                yield from _file(path)
    for error in closed:
        yield _object(Path(error.filename), None, ("inode/directory", ""))


def _file(path: Path) -> Iterator[SourceObject]:
    kind = media_type(path.name)
    if kind is None:
        return
    try:
        stat = path.stat()
    except FileNotFoundError:  # a link to nothing, or gone in this moment
        return
    except OSError:
        stat = None
    if stat is None or S_ISREG(stat.st_mode):
        yield _object(path, stat, kind)


def _object(path: Path, stat: os.stat_result | None, kind: tuple[str, str]) -> SourceObject:
    uri = "file://" + os.fsencode(path).decode("utf-8", "replace")
    etag, size = (f"{stat.st_mtime_ns}-{stat.st_size}", stat.st_size) if stat else ("unknown", 0)
    return SourceObject(uri, etag, size, *kind, open=partial(path.open, "rb"))


def _bucket(bucket: str, prefix: str) -> Iterator[SourceObject]:
    store = open_bucket(bucket)
    try:
        for meta in _keys(store, prefix):
            key = meta["path"]
            hidden = any(part.startswith(".") for part in key.removeprefix(prefix).split("/"))
            if not hidden and (kind := media_type(key)):
                etag = meta["e_tag"] or f"{meta['last_modified']}-{meta['size']}"
                opener = partial(open_remote, store, key)
                yield SourceObject(f"s3://{bucket}/{key}", etag, meta["size"], *kind, open=opener)
    except (BaseError, OSError) as error:
        mend = "Check bucket, credentials, region and AWS_ENDPOINT_URL."
        raise UserError(f"s3://{bucket}/{prefix} cannot be listed ({_why(error)})", mend) from error


def _keys(store: S3Store, prefix: str) -> "Iterator[obstore.ObjectMeta]":
    """What lies below a prefix; if nothing does, the object of that very name."""
    empty = True
    for page in obstore.list(store, prefix=prefix or None):
        empty = empty and not page
        yield from page
    if empty and media_type(prefix):
        try:
            yield obstore.head(store, prefix)
        except FileNotFoundError:
            return


def _why(error: Exception) -> str:
    return (getattr(error, "strerror", None) or str(error).splitlines()[0])[:200]
