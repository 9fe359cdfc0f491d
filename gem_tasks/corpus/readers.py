"""Files to raw documents, streaming: memory holds one document, never a file. What cannot be read gets a reason."""

import json
from collections.abc import Iterator
from typing import IO, Any, cast

import pyarrow as pa
import pyarrow.parquet as pq

from gem_tasks.corpus.decode import decode
from gem_tasks.corpus.sources import SourceObject
from gem_tasks.domain.corpus import IngestReason, RawDocument

_CHUNK = 1 << 20
_OWN_FIELDS = frozenset({"id", "title", "text", "license", "lang"})
_METADATA_CHARS = 10_000
_BROKEN = (OSError, pa.ArrowException)


def read(found: SourceObject, limit_bytes: int) -> Iterator[RawDocument]:
    """The documents of one file.

    Args:
        found: the file.
        limit_bytes: a single document larger than this is not read into memory but reported as `too_large`.
    """
    try:
        with found.open() as stored:
            if found.media_type == "application/parquet":
                yield from _parquet(found, stored, limit_bytes)
            elif found.media_type == "application/jsonl":
                yield from _jsonl(found, _unpacked(stored, found.compression), limit_bytes)
            else:
                yield _text(found, _unpacked(stored, found.compression), limit_bytes)
    except _BROKEN as error:
        detail = f"{type(error).__name__}: {str(error)[:200]}"
        yield RawDocument(uri=found.uri, etag=found.etag, reason=IngestReason.UNREADABLE, detail=detail)


def _unpacked(stored: IO[bytes], compression: str) -> IO[bytes]:
    """Arrow's streams, because they notice a truncated file; zstandard's own reader takes it for the end."""
    if not compression:
        return stored
    codec = "gzip" if compression == ".gz" else "zstd"
    return cast("IO[bytes]", pa.CompressedInputStream(pa.PythonFile(cast("Any", stored)), codec))


def _text(found: SourceObject, stream: IO[bytes], limit: int) -> RawDocument:
    data = bytearray()
    while chunk := stream.read(_CHUNK):
        data += chunk
        if len(data) > limit:
            return _no(found, found.uri, IngestReason.TOO_LARGE, f"more than {limit} bytes")
    text = decode(bytes(data))
    if isinstance(text, IngestReason):
        return _no(found, found.uri, text)
    return RawDocument(uri=found.uri, etag=found.etag, text=text, media_type=found.media_type)


def _jsonl(found: SourceObject, stream: IO[bytes], limit: int) -> Iterator[RawDocument]:
    for number, line in _lines(stream, limit):
        uri = f"{found.uri}#{number}"
        if line is None:
            yield _no(found, uri, IngestReason.TOO_LARGE, f"line {number} has more than {limit} bytes")
        elif line.strip():
            yield _record(found, uri, number, line)


def _lines(stream: IO[bytes], limit: int) -> Iterator[tuple[int, bytes | None]]:
    """`(line number from 1, line)`; None for a line over the limit, which is skipped without being kept."""
    number, buffer, skipping = 1, bytearray(), False
    while chunk := stream.read(_CHUNK):
        first, *rest = chunk.split(b"\n")
        for index, piece in enumerate([first, *rest]):
            if index:
                yield number, None if skipping else bytes(buffer)
                number, buffer, skipping = number + 1, bytearray(), False
            if not skipping:
                buffer += piece
                if len(buffer) > limit:
                    buffer, skipping = bytearray(), True
    if buffer or skipping:
        yield number, None if skipping else bytes(buffer)


def _record(found: SourceObject, uri: str, number: int, line: bytes) -> RawDocument:
    text = decode(line)
    if isinstance(text, IngestReason):
        return _no(found, uri, text, f"line {number}")
    try:
        record = json.loads(text)
    except (ValueError, RecursionError) as error:
        return _no(found, uri, IngestReason.BAD_RECORD, f"line {number} is no JSON: {str(error)[:150]}")
    return _from_fields(found, uri, f"line {number}", record)


def _parquet(found: SourceObject, stored: IO[bytes], limit: int) -> Iterator[RawDocument]:
    number = 0
    for batch in pq.ParquetFile(cast("Any", stored)).iter_batches(batch_size=64):
        for record in batch.to_pylist():
            number += 1
            uri = f"{found.uri}#{number}"
            if len(str(record.get("text") or "")) > limit:
                yield _no(found, uri, IngestReason.TOO_LARGE, f"row {number} has more than {limit} characters")
            else:
                yield _from_fields(found, uri, f"row {number}", record)


def _from_fields(found: SourceObject, uri: str, where: str, record: Any) -> RawDocument:
    """A record with `text`, and perhaps `id`, `url`, `title`, `license`, `lang`; anything else becomes metadata."""
    if not isinstance(record, dict) or not isinstance(record.get("text"), str):  # pyright: ignore[reportUnknownArgumentType]
        return _no(found, uri, IngestReason.BAD_RECORD, f"{where} is no object with a string `text`")
    fields = cast("dict[str, Any]", record)
    key = fields.get("id")
    if isinstance(key, str | int) and str(key).strip():
        uri = f"{found.uri}#{_clean(str(key))[:200]}"
    others = {_clean(name): value for name, value in fields.items() if name not in _OWN_FIELDS}
    return RawDocument(
        uri=uri,
        etag=found.etag,
        text=_clean(fields["text"]),
        media_type="text/markdown",
        title=_string(fields.get("title")),
        license=_string(fields.get("license")),
        language=_string(fields.get("lang")),
        metadata=_bounded(others),
    )


def _string(value: Any) -> str | None:
    return _clean(value)[:500] if isinstance(value, str) and value.strip() else None


def _clean(text: str) -> str:
    """Lone surrogates, which JSON can smuggle in, cannot be written as UTF-8."""
    return text.encode("utf-8", "replace").decode()


def _bounded(metadata: dict[str, Any]) -> dict[str, Any]:
    """Metadata as plain JSON of a bounded size; what is too much is named, not kept."""
    text = _clean(json.dumps(metadata, ensure_ascii=False, default=str))
    if len(text) <= _METADATA_CHARS:
        return json.loads(text)
    return {"left_out": f"{len(text)} characters of metadata", "fields": sorted(metadata)[:50]}


def _no(found: SourceObject, uri: str, reason: IngestReason, detail: str = "") -> RawDocument:
    return RawDocument(uri=uri, etag=found.etag, reason=reason, detail=detail)
