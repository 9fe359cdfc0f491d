"""What a source holds: the readable files of a path or a bucket, with the version each has now."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import BaseError

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


@dataclass(frozen=True, slots=True)
class SourceObject:
    """One file to read."""

    uri: str
    """`file:///…` or `s3://bucket/key`."""
    etag: str
    """The store's etag, or modification time (ns) and size of a local file."""
    size: int
    """Bytes, as stored."""
    media_type: str
    compression: str
    """`.gz`, `.zst`, or empty."""

    def open(self) -> IO[bytes]:
        """A seekable stream of the stored bytes.

        Raises:
            OSError: it cannot be read.
        """
        parts = urlsplit(self.uri)
        if parts.scheme == "file":
            return Path(self.uri.removeprefix("file://")).open("rb")
        return open_remote(open_bucket(parts.netloc), self.uri.removeprefix(f"s3://{parts.netloc}/"))


def list_objects(source: str) -> Iterator[SourceObject]:
    """The readable files of a source, in lexical order; others in a folder are passed over.

    Args:
        source: a file, a folder, `file:///…`, or `s3://bucket/prefix`.

    Raises:
        UserError: the source does not exist, cannot be read, or holds nothing that can be read.
    """
    parts = urlsplit(source)
    if parts.scheme == "s3" and parts.netloc:
        found = _bucket(parts.netloc, parts.path.lstrip("/"))
    elif parts.scheme in ("", "file"):
        found = _local(Path(source.removeprefix("file://")).expanduser())
    else:
        raise UserError(f"{source!r} is no source", "Give a file, a folder, or s3://bucket/prefix.")
    empty = True
    for item in found:
        empty = False
        yield item
    if empty:
        kinds = " ".join(FORMATS)
        raise UserError(f"{source} holds nothing that can be read", f"Readable are {kinds}, also as .gz or .zst.")


def media_type(name: str) -> tuple[str, str] | None:
    """`(media type, compression)` by a file's name, None if it is not of a readable kind."""
    stem = name.lower()
    compression = next((suffix for suffix in COMPRESSIONS if stem.endswith(suffix)), "")
    kind = FORMATS.get(Path(stem.removesuffix(compression)).suffix)
    return (kind, compression) if kind else None


def _local(path: Path) -> Iterator[SourceObject]:
    if not path.exists():
        raise UserError(f"{path} does not exist", "Check the path.")
    if not os.access(path, os.R_OK):
        raise UserError(f"{path} cannot be read", "Check its permissions.")
    root = path.resolve()
    if root.is_file():
        yield from filter(None, [_file(root)])
        return
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            file = Path(folder, name)
            # A link that leaves the source would let a folder of documents read any file of the machine.
            if not name.startswith(".") and file.resolve().is_relative_to(root):
                yield from filter(None, [_file(file)])


def _file(path: Path) -> SourceObject | None:
    kind = media_type(path.name)
    if kind is None or not path.is_file():
        return None
    stat = path.stat()
    return SourceObject(f"file://{path}", f"{stat.st_mtime_ns}-{stat.st_size}", stat.st_size, *kind)


def _bucket(bucket: str, prefix: str) -> Iterator[SourceObject]:
    store = open_bucket(bucket)
    try:
        for page in obstore.list(store, prefix=prefix or None):
            for meta in page:
                if kind := media_type(meta["path"]):
                    etag = meta["e_tag"] or f"{meta['last_modified']}-{meta['size']}"
                    yield SourceObject(f"s3://{bucket}/{meta['path']}", etag, meta["size"], *kind)
    except (BaseError, OSError) as error:
        reason = str(error).splitlines()[0][:200]
        raise UserError(
            f"s3://{bucket}/{prefix} cannot be listed ({reason})",
            "Check bucket, credentials, region and AWS_ENDPOINT_URL.",
        ) from error
