"""Records of a WARC file (web crawls): pages and texts that were fetched, one after the other.

Read are `response` records with status 200, `resource` and `conversion` records, of HTML or plain text; everything
else in a WARC (requests, metadata, redirects, images) is passed over as foreign files in a folder are.
"""

import zlib
from collections.abc import Iterator
from typing import IO, Any, cast

from fastwarc.warc import ArchiveIterator, WarcRecordType

from gem_tasks.corpus.decode import decode
from gem_tasks.corpus.objects import SourceObject
from gem_tasks.corpus.records import refused
from gem_tasks.domain.corpus import IngestReason, RawDocument

_TYPES = {"text/html": "text/html", "application/xhtml+xml": "text/html", "text/plain": "text/plain"}
_WANTED = cast("Any", WarcRecordType).response | WarcRecordType.resource | WarcRecordType.conversion
_PACKED = {"gzip": 47, "x-gzip": 47, "deflate": 47}
"""Content encodings with zlib's window bits: either header, recognised by zlib itself."""
_URI_CHARS = 2000


def read_warc(found: SourceObject, stored: IO[bytes], limit: int) -> Iterator[RawDocument]:
    """The pages of a WARC, streaming.

    Args:
        found: the file.
        stored: its bytes; the library unpacks them, because every record is packed by itself.
        limit: bytes of a page at most.

    Raises:
        OSError: the file is damaged or breaks off.
    """
    archive = ArchiveIterator(cast("Any", stored), record_types=_WANTED, parse_http=True)
    for number, record in enumerate(cast("Iterator[Any]", archive), start=1):
        kind = _kind(record)
        if kind is not None:
            name = (record.headers.get("WARC-Target-URI") or str(number))[:_URI_CHARS].strip("<>")
            raw = _document(found, f"record {number}", record, kind, limit)
            yield raw.model_copy(update={"uri": f"{found.uri}#{name}", "metadata": _metadata(name, record)})


def _kind(record: Any) -> str | None:
    """Media type of a record that is to be read."""
    fetched = record.record_type == WarcRecordType.response
    if fetched and (record.http_headers is None or record.http_headers.status_code != 200):
        return None
    # What the server said of its answer; for a record without HTTP, what the crawler said of it.
    claimed = record.http_content_type or record.headers.get("Content-Type", "")
    return _TYPES.get(claimed.partition(";")[0].strip().lower())


def _metadata(name: str, record: Any) -> dict[str, str]:
    date = record.headers.get("WARC-Date")
    return {"url": name} | ({"fetched": date} if date else {})


def _document(found: SourceObject, where: str, record: Any, kind: str, limit: int) -> RawDocument:
    data: bytes = record.reader.read(limit + 1)
    if len(data) < min(record.content_length, limit + 1):
        raise OSError(f"the file breaks off in {where}")
    encoding = (record.http_headers.get("Content-Encoding", "") if record.http_headers else "").strip().lower()
    if encoding in _PACKED and len(data) <= limit:
        # Many crawlers unpack the body and keep the header: then it is no zlib stream, and taken as it is.
        data = _unpacked(data, _PACKED[encoding], limit) or data
    if len(data) > limit:
        return refused(found, None, IngestReason.TOO_LARGE, f"{where} has more than {limit} bytes")
    text = decode(data)
    if isinstance(text, IngestReason):
        return refused(found, None, text, where)
    return RawDocument(uri=found.uri, etag=found.etag, object_key=found.uri, text=text, media_type=kind)


def _unpacked(data: bytes, window: int, limit: int) -> bytes | None:
    try:
        return zlib.decompressobj(wbits=window).decompress(data, limit + 1)
    except zlib.error:
        return None
