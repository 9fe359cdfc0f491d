"""Documents and the segments cut from them.

Identity is content-addressed, so the same text gets the same ids on every machine and in every run:
`document_id` hashes URI and content, `segment_id` is the document plus the character span.
"""

from bisect import bisect_left, bisect_right
from datetime import datetime
from enum import StrEnum
from hashlib import sha1, sha256

from pydantic import Field

from gem_tasks.domain.base import Json, Value


class IngestReason(StrEnum):
    """Why a document yields no segments."""

    EMPTY = "empty"
    TOO_SHORT = "too_short"
    TOO_LARGE = "too_large"
    TOO_EXPENSIVE = "too_expensive"
    """It would take more memory or CPU time than one document is allowed."""
    BINARY = "binary"
    BAD_ENCODING = "bad_encoding"
    BAD_RECORD = "bad_record"
    UNREADABLE = "unreadable"
    ENCRYPTED = "encrypted"
    IMAGE_ONLY = "image_only"
    """Its pages are pictures of text."""
    DUPLICATE = "duplicate"
    UNSUPPORTED = "unsupported"
    """GEM has no reader for it: a format of a page, an archive within an archive."""
    DISALLOWED = "disallowed"
    """Its site does not want it to be read or used."""
    MOVED = "moved"
    """Its text is at another address: a redirect, or a page that names another as its canonical address."""


class Source(Value):
    """Where documents come from, and properties of all of them. None: as in the settings."""

    uri: str
    """A path, `file:///…`, `s3://bucket/prefix`, `hf://datasets/owner/name`, or an address of
    `corpus.sources.web.address`."""
    license: str | None = None
    """License of documents that state none."""
    target_tokens: int | None = Field(default=None, ge=50)
    max_tokens: int | None = Field(default=None, ge=100)
    min_chars: int | None = Field(default=None, ge=0)
    limit: int | None = Field(default=None, ge=0)
    """Every run reads only the first N documents; 0 removes an earlier limit."""


class Places(Value):
    """Where the parts of a converted document come from."""

    unit: str
    """`page`, `slide`, `sheet` or `chapter`."""
    marks: tuple[tuple[int, str], ...]
    """`(first character, its number or name)` of each that has text, in order."""

    def of(self, start: int, end: int) -> str | None:
        """The place of a span: `page 12`, `pages 12–13`; None before the first mark."""
        starts = [at for at, _ in self.marks]
        first, last = bisect_right(starts, start) - 1, bisect_left(starts, end) - 1
        if last < 0:
            return None
        begins, ends = self.marks[max(first, 0)][1], self.marks[last][1]
        return f"{self.unit} {begins}" if begins == ends else f"{self.unit}s {begins}–{ends}"


class RawDocument(Value):
    """A document as a reader found it: one file, or one record of a JSONL or Parquet file.

    Either `text` has the decoded, unnormalised text, or `reason` says why there is none.
    """

    uri: str
    """Its place: `file:///…`, `s3://bucket/key`, `https://…`, with `!/name` for a member of an archive and `#id` for a
    record inside a file."""
    etag: str
    """The store's etag, or `mtime-size` for a local file."""
    object_key: str = ""
    """URI of the file that it was read from; empty if that is its own URI."""
    text: str = ""
    media_type: str = "text/plain"
    """`text/plain`, `text/markdown` or `text/html`: decides how markup is removed."""
    title: str | None = None
    license: str | None = None
    language: str | None = None
    """The record's claim; detection fills it if absent."""
    places: Places | None = None
    """Where parts of the text come from; such a text is clean already."""
    metadata: Json = Field(default_factory=dict)
    reason: IngestReason | None = None
    detail: str = ""

    @property
    def read_from(self) -> str:
        """URI of the file that contains it."""
        return self.object_key or self.uri

    def fingerprint(self) -> str:
        """Forty hex characters that identify the exact content; cheaper than normalising it again."""
        read = (self.text, self.media_type, self.title, self.license, self.language, self.reason, self.detail)
        return sha1(repr(read).encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()


class Document(Value):
    """One version of one text. `reason` is set when no segments were cut from it."""

    document_id: str
    uri: str
    etag: str
    object_key: str = ""
    """URI of the file that contains it; empty if that is its own URI."""
    fingerprint: str | None = None
    """See `RawDocument.fingerprint`."""
    content_hash: str
    """SHA-256 of the normalised text, hex."""
    title: str | None = None
    license: str | None = None
    language: str | None = None
    """ISO 639-1 code; None if the text is too short to tell."""
    chars: int
    """Length of the normalised text in characters."""
    metadata: Json = Field(default_factory=dict)
    reason: IngestReason | None = None
    detail: str = ""
    ingested_at: datetime | None = None


class Segment(Value):
    """A span of a document, small enough for one prompt."""

    segment_id: str
    document_id: str
    document_uri: str
    title: str | None = None
    license: str | None = None
    language: str | None = None
    start: int
    """First character of the span in the normalised document text."""
    end: int
    """One past the last character; `text == document_text[start:end]`."""
    tokens: int
    """Estimated, see `gem_tasks.corpus.segment.count_tokens`."""
    near_duplicate_of: str | None = None
    """An earlier segment with nearly the same text."""
    place: str | None = None
    """Where it is in the file: `page 12`, `slides 3–4`, `sheet Prices`."""
    text: str


def content_hash(text: str) -> str:
    """SHA-256 of the UTF-8 text, hex."""
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def document_id(uri: str, digest: str) -> str:
    """Twenty hex characters (80 bits) that identify this content at this URI."""
    return sha256(f"{uri}\0{digest}".encode("utf-8", "surrogatepass")).hexdigest()[:20]


def segment_id(document: str, start: int, end: int) -> str:
    """The document id and the span: another segmentation gives other ids, the same one the same."""
    return f"{document}.{start}-{end}"
