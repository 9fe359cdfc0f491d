"""One file of a source of any kind, and the supported formats."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import IO

from gem_tasks import redaction
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
    ".mdx": "text/mdx",
    ".rst": "text/x-rst",
    ".adoc": "text/asciidoc",
    ".asciidoc": "text/asciidoc",
    ".csv": "text/csv",
    ".tsv": "text/csv",
    ".pdf": "application/pdf",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".docm": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    ".pptm": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".xlsm": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".epub": "application/epub+zip",
    ".eml": "message/rfc822",
    ".mbox": "application/mbox",
}
COMPRESSIONS = (".gz", ".zst")
READABLE = f"Supported formats: {' '.join(FORMATS)}; all but Parquet also as .gz or .zst."
ANOTHER_TRY = frozenset({401, 408, 425, 429})
"""HTTP statuses that tell nothing about the requested object."""
CLOSED = ("inode/directory", "")
"""Media type of a folder that could not be listed: its contents are unknown, not gone."""


@dataclass(frozen=True, slots=True)
class SourceObject:
    """One file to read."""

    uri: str
    """`file:///…`, `s3://bucket/key` or `hf://…`. A local name that is not UTF-8 is percent-encoded after `//`."""
    etag: str
    """The store's etag, or modification time (ns) and size of a local file."""
    size: int
    """Bytes, as stored."""
    media_type: str
    compression: str
    """`.gz`, `.zst`, or empty."""
    open: Callable[[], IO[bytes]] = field(repr=False, compare=False)
    """Opens a seekable stream of the stored bytes. Raises OSError if this file cannot be read."""
    remote: bool = False
    """Every read is a request."""
    path: str = field(default="", compare=False)
    """Path of the file on this machine that `open` opens, links followed; empty for remote files."""

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
    stem = name.lower()
    compression = next((suffix for suffix in COMPRESSIONS if stem.endswith(suffix)), "")
    kind = FORMATS.get(os.path.splitext(stem.removesuffix(compression))[1])  # noqa: PTH122  a hundred thousand times
    return (kind, compression) if kind else None


def why(error: Exception) -> str:
    """An error's cause in one line."""
    return redaction.beginning(getattr(error, "strerror", None) or first_line(error), 200)


def hidden(key: str) -> bool:
    """Whether a part of a path begins with a dot. In a bucket `.` and `..` are ordinary names."""
    return any(part.startswith(".") and part not in (".", "..") for part in key.split("/"))
