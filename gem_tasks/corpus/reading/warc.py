"""Records of a WARC file (web crawls): fetched pages and texts, in sequence.

It reads `response` records with status 200, and `resource` and `conversion` records, of HTML or plain text; it skips
everything else in a WARC (requests, metadata, redirects, images), like unsupported files in a folder.
"""

from collections.abc import Iterator
from typing import IO, Any, cast

from fastwarc.warc import ArchiveIterator, WarcRecordType

from gem_tasks.corpus.reading.decode import decode
from gem_tasks.corpus.reading.http_body import BodyError, decoded_body
from gem_tasks.corpus.reading.records import refused
from gem_tasks.corpus.sources.objects import SourceObject
from gem_tasks.domain.corpus import IngestReason, RawDocument
from gem_tasks.patterns import IgnoringCase

_TYPES = {"text/html": "text/html", "application/xhtml+xml": "text/html", "text/plain": "text/plain"}
_WANTED = cast("Any", WarcRecordType).response | WarcRecordType.resource | WarcRecordType.conversion
_INCOMPLETE = ("WARC-Truncated", "WARC-Segment-Number")
_CHARSET = IgnoringCase(r"""charset\s*+=\s*+["']?\s*+([\w.:-]{1,40})""")
_URI_CHARS = 2000


def read_warc(found: SourceObject, stored: IO[bytes], limit: int) -> Iterator[RawDocument]:
    """Streams the pages of a WARC.

    Args:
        found: the file.
        stored: its bytes; the library unpacks them, because every record is compressed separately.
        limit: largest size of a page in bytes.

    Raises:
        OSError: the file is damaged or cut off.
    """
    archive = ArchiveIterator(cast("Any", stored), record_types=_WANTED, parse_http=False)
    for number, record in enumerate(cast("Iterator[Any]", archive), start=1):
        where = f"record {number}"
        if not _parsed(record):
            raw = refused(found, None, IngestReason.UNREADABLE, f"{where} has no HTTP header that can be read")
        elif kind := _kind(record):
            raw = _document(found, where, record, kind, limit)
        else:
            continue
        name = (record.headers.get("WARC-Target-URI") or str(number))[:_URI_CHARS].strip("<>")
        yield raw.model_copy(update={"uri": f"{found.uri}#{name}", "metadata": _metadata(name, record)})


def _parsed(record: Any) -> bool:
    """Whether the HTTP header was read, if the record has one; some archives end its lines with LF only."""
    if not record.is_http:
        return True
    try:
        record.parse_http(quirks_mode=True)
    except OSError:
        return False
    return record.record_type != WarcRecordType.response or record.http_headers.status_code is not None


def _kind(record: Any) -> str | None:
    """Media type of a record to read."""
    fetched = record.record_type == WarcRecordType.response
    if fetched and (record.http_headers is None or record.http_headers.status_code != 200):
        return None
    # The server's type of its answer; for a record without HTTP, the crawler's.
    claimed = record.http_content_type or record.headers.get("Content-Type", "")
    return _TYPES.get(claimed.partition(";")[0].strip().lower())


def _metadata(name: str, record: Any) -> dict[str, str]:
    date = record.headers.get("WARC-Date")
    return {"url": name} | ({"fetched": date} if date else {})


def _document(found: SourceObject, where: str, record: Any, kind: str, limit: int) -> RawDocument:
    data: bytes = record.reader.read(limit + 1)
    if len(data) < min(record.content_length, limit + 1):
        raise OSError(f"the file breaks off in {where}")
    if len(data) > limit:
        return refused(found, None, IngestReason.TOO_LARGE, f"{where} has more than {limit} bytes")
    if incomplete := next((name for name in _INCOMPLETE if record.headers.get(name)), None):
        return refused(found, None, IngestReason.UNREADABLE, f"{where} holds a part of the page only ({incomplete})")
    try:
        data = decoded_body(data, _values(record, "Content-Encoding"), _values(record, "Transfer-Encoding"), limit)
    except BodyError as error:
        return refused(found, None, error.reason, f"{where}: {error}")
    text = decode(data, _charset(record))
    if isinstance(text, IngestReason):
        return refused(found, None, text, where)
    return RawDocument(uri=found.uri, etag=found.etag, object_key=found.uri, text=text, media_type=kind)


def _values(record: Any, name: str) -> list[str]:
    return record.http_headers.get_multiple(name) if record.http_headers else []


def _charset(record: Any) -> str | None:
    """Label of the encoding named by the server or, for a record without HTTP, by the crawler."""
    headers = record.http_headers or record.headers
    match = _CHARSET.search(headers.get("Content-Type") or "")
    return match[1] if match else None
