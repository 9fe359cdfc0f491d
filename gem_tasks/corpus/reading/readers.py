"""Streams files as raw documents: memory holds one document, never a file. Unreadable parts get a reason.

A file that is cut off keeps the documents read before and gets one more row, `unreadable`, for itself. So does a file
with more records than its size allows: a kilobyte may unpack to millions.
"""

from codecs import BOM_UTF8
from collections.abc import Iterator
from itertools import islice
from typing import IO, Any, cast

import pyarrow as pa
import pyarrow.parquet as pq

from gem_tasks import redaction
from gem_tasks.corpus.reading.decode import decode
from gem_tasks.corpus.reading.lines import in_utf8, lines
from gem_tasks.corpus.reading.records import from_fields, from_json, refused
from gem_tasks.corpus.reading.warc import read_warc
from gem_tasks.corpus.sources.objects import SourceObject
from gem_tasks.corpus.sources.packed import unpacked
from gem_tasks.domain.corpus import IngestReason, RawDocument

_CHUNK = 1 << 20
_ROWS = 64
_HOPELESS = 1000
"""After this many lines without a single record a file is not JSONL, and its other lines need no row each."""
_BROKEN = (OSError, pa.ArrowException)
_BATCH_BYTES = 16 << 20
_FEW_ROWS = 10_000
"""Every file may have this many rows; larger files one row per byte."""
_MOST_RATIO = 1000
"""Largest ratio of unpacked to stored size of a file with records. Text has a tenth of it."""
_MAX_ROWS = 1_000_000


class _TooMuchError(Exception):
    """The rest of the file is not read."""


def read(found: SourceObject, limit_bytes: int, max_rows: int = _MAX_ROWS) -> Iterator[RawDocument]:
    """Yields the documents of one file.

    Args:
        found: the file.
        limit_bytes: a larger document is not read into memory but reported as `too_large`.
        max_rows: most records of a file; later ones are not read, and reported as `too_large` too.

    Raises:
        StoreError: the store of a remote file does not answer; the state of the file is unknown.
    """
    rows = rows_of(found, max_rows)
    try:
        with found.open() as stored:
            if found.media_type == "application/parquet":
                yield from _first(rows, _parquet(found, stored, limit_bytes))
            elif found.media_type == "application/jsonl":
                yield from _jsonl(found, unpacked(stored, found.compression), limit_bytes, rows)
            elif found.media_type == "application/warc":
                yield from _first(rows, read_warc(found, stored, limit_bytes))
            else:
                yield _text(found, unpacked(stored, found.compression), limit_bytes)
    except _TooMuchError as error:
        yield refused(found, None, IngestReason.TOO_LARGE, str(error))
    except _BROKEN as error:
        if isinstance(error, MemoryError):
            raise
        yield refused(found, None, IngestReason.UNREADABLE, _one_line(error))


def rows_of(found: SourceObject, max_rows: int) -> int:
    """Most documents of one file."""
    return min(max_rows, max(_FEW_ROWS, found.size))


def _first(rows: int, documents: Iterator[RawDocument]) -> Iterator[RawDocument]:
    yield from islice(documents, rows)
    if next(documents, None) is not None:
        raise _TooMuchError(_rest_of(rows))


def _rest_of(rows: int) -> str:
    return f"GEM read only its first {rows} rows: the limit is one row per byte, and GEM_MAX_ROWS_PER_FILE"


def _bounded(found: SourceObject, pieces: Iterator[bytes], limit: int) -> Iterator[bytes]:
    left = found.size * _MOST_RATIO + limit
    for piece in pieces:
        left -= len(piece)
        if left < 0:
            raise _TooMuchError(f"it unpacks to more than {_MOST_RATIO} times its size")
        yield piece


def _one_line(error: Exception) -> str:
    cause = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return redaction.beginning(" ".join(f"{type(error).__name__}: {cause}".split()), 200)


def _text(found: SourceObject, stream: IO[bytes], limit: int) -> RawDocument:
    data = bytearray()
    while chunk := stream.read(_CHUNK):
        data += chunk
        if len(data) > limit:
            return refused(found, None, IngestReason.TOO_LARGE, f"more than {limit} bytes")
    data = bytes(data)  # of the two, one is enough while it is decoded
    text = decode(data, found.charset or None)
    if isinstance(text, IngestReason):
        return refused(found, None, text)
    return RawDocument(uri=found.uri, etag=found.etag, text=text, media_type=found.media_type, metadata=found.about)


def _jsonl(found: SourceObject, stream: IO[bytes], limit: int, rows: int) -> Iterator[RawDocument]:
    bad, good = 0, False
    for number, line in lines(_bounded(found, in_utf8(stream), limit), limit):
        if number > rows:
            raise _TooMuchError(_rest_of(rows))
        if line is not None and not line.removeprefix(BOM_UTF8).strip():
            continue
        document = _line(found, number, line, limit)
        yield document
        good = good or document.reason is None
        bad += document.reason is not None
        if bad >= _HOPELESS and not good:
            yield refused(found, None, IngestReason.UNREADABLE, f"the first {bad} lines hold no record")
            return


def _line(found: SourceObject, number: int, line: bytes | None, limit: int) -> RawDocument:
    if line is None:
        return refused(found, number, IngestReason.TOO_LARGE, f"line {number} has more than {limit} bytes")
    text = decode(line)
    if isinstance(text, IngestReason):
        return refused(found, number, text, f"line {number}")
    return from_json(found, number, text)


def _parquet(found: SourceObject, stored: IO[bytes], limit: int) -> Iterator[RawDocument]:
    number = 0
    # With a buffer, columns are read page by page; without, a whole row group's column at once.
    file = pq.ParquetFile(cast("Any", stored), buffer_size=_CHUNK, pre_buffer=False)
    for batch in file.iter_batches(batch_size=_rows_at_once(file.metadata), use_threads=False):
        arrays = cast("list[Any]", batch.columns)
        named = zip(batch.schema.names, arrays, strict=True)
        columns = {name: (_ids if name == "id" else _values)(array) for name, array in named}
        for row in range(batch.num_rows):
            number += 1
            record = {name: values[row] for name, values in columns.items()}
            if len(str(record.get("text") or "")) > limit:
                detail = f"row {number} has more than {limit} characters"
                yield refused(found, number, IngestReason.TOO_LARGE, detail)
            else:
                yield from_fields(found, number, f"row {number}", record)


def _rows_at_once(about: Any) -> int:
    """Number of rows that take little memory, if the file states their size."""
    groups = (about.row_group(index) for index in range(about.num_row_groups))
    largest = max((group.total_byte_size // max(1, group.num_rows) for group in groups), default=0)
    return max(1, min(_ROWS, _BATCH_BYTES // max(1, largest)))


def _values(array: Any) -> list[Any]:
    try:
        return array.to_pylist()
    except (ValueError, OverflowError):  # a date outside Python's range, or a string that is not UTF-8
        return [_value(scalar) for scalar in array]


def _value(scalar: Any) -> Any:
    try:
        return scalar.as_py()
    except (ValueError, OverflowError):
        return None


def _ids(array: Any) -> list[Any]:
    """Values of the column `id`; times as Arrow writes them: Python's have less range and precision."""
    if pa.types.is_duration(array.type):
        array = array.cast(pa.int64())
    return _values(array.cast(pa.string()) if pa.types.is_temporal(array.type) else array)
