"""One file of a source of any kind, and the supported formats."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import IO, Any

from gem_tasks import redaction
from gem_tasks.domain.base import Json
from gem_tasks.domain.corpus import IngestReason
from gem_tasks.errors import first_line

FORMATS = {
    ".txt": "text/plain",
    ".md": "text/markdown",
    ".markdown": "text/markdown",
    ".html": "text/html",
    ".htm": "text/html",
    ".jsonl": "application/jsonl",
    ".parquet": "application/parquet",
    ".warc": "application/warc",
    ".zip": "application/zip",
    ".tar": "application/x-tar",
}
ARCHIVES = frozenset({"application/zip", "application/x-tar"})
RECORDS = ARCHIVES | {"application/jsonl", "application/parquet", "application/warc"}
"""Media types of files with many documents."""
COMPRESSIONS = (".gz", ".zst")
_OF_TAR = (*COMPRESSIONS, ".bz2", ".xz")
_SHORT = {".tgz": ".gz", ".tbz2": ".bz2", ".txz": ".xz", ".tzst": ".zst"}
"""Names of compressed tar files."""
READABLE = (
    f"Supported formats: {' '.join(FORMATS)}; all but Parquet and zip also as .gz or .zst, tar also as .bz2 or .xz."
)
ANOTHER_TRY = frozenset({401, 408, 425, 429})
"""HTTP statuses that tell nothing about the requested object."""
CLOSED = ("inode/directory", "")
"""Media type of a folder that could not be listed: its contents are unknown, not gone."""


@dataclass(frozen=True, slots=True)
class SourceObject:
    """One file to read."""

    uri: str
    """`file:///…`, `s3://bucket/key`, `hf://…` or `https://…`; with `!/name` for a member of an archive. A local name
    that is not UTF-8 is percent-encoded after `//`."""
    etag: str
    """The store's etag, or modification time (ns) and size of a local file."""
    size: int
    """Bytes, as stored."""
    media_type: str
    compression: str
    """`.gz`, `.zst`, for tar also `.bz2` or `.xz`, or empty."""
    open: Callable[[], IO[bytes]] = field(repr=False, compare=False)
    """Opens a seekable stream of the stored bytes. Raises OSError if this file cannot be read."""
    remote: bool = False
    """Every read is a request."""
    path: str = field(default="", compare=False)
    """Path of the file on this machine that `open` opens, links followed; empty for remote files."""
    charset: str = field(default="", compare=False)
    """Label of its encoding, as a server named it; empty if unknown."""
    about: Json = field(default_factory=dict[str, Any], compare=False)
    """Metadata of its document."""
    refusal: tuple[IngestReason, str] | None = field(default=None, compare=False)
    """Reason and detail if the listing already shows that it must not, or cannot, be read."""

    @property
    def order(self) -> bytes:
        """Sort key of listings, and of keys in Postgres."""
        return self.uri.encode("utf-8", "surrogatepass")

    @property
    def closed(self) -> bool:
        """Whether this is a folder that could not be listed."""
        return (self.media_type, self.compression) == CLOSED


def media_type(name: str) -> tuple[str, str] | None:
    """`(media type, compression)` by a file's name; None if its format is not supported."""
    stem, last = os.path.splitext(name.lower())  # noqa: PTH122  a hundred thousand times
    if last in _SHORT:
        return "application/x-tar", _SHORT[last]
    if last not in _OF_TAR:
        kind = FORMATS.get(last)
        return (kind, "") if kind else None
    kind = FORMATS.get(os.path.splitext(stem)[1])  # noqa: PTH122
    fits = kind == "application/x-tar" or (last in COMPRESSIONS and kind != "application/zip")
    return (kind, last) if kind and fits else None


def why(error: Exception) -> str:
    """An error's cause in one line."""
    return redaction.beginning(getattr(error, "strerror", None) or first_line(error), 200)


def hidden(key: str) -> bool:
    """Whether a part of a path begins with a dot. In a bucket `.` and `..` are ordinary names."""
    return any(part.startswith(".") and part not in (".", "..") for part in key.split("/"))
