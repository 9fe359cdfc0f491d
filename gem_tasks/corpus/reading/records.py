"""Converts a record of a JSONL or Parquet file to a raw document.

A record may carry `id`, `title`, `text`, `license` and `lang`; everything else, `url` included, becomes metadata.
"""

import json
from typing import Any, cast

from gem_tasks.corpus.reading.identity import record_name
from gem_tasks.corpus.sources.objects import SourceObject
from gem_tasks.corpus.text.clean import one_line
from gem_tasks.domain.corpus import IngestReason, RawDocument

_OWN_FIELDS = frozenset({"id", "title", "text", "license", "lang"})
_FIELD_CHARS = 500
_METADATA_CHARS = 10_000
_SMALL = 1 << 20
_VALUES = 1_000_000
"""Most values of a line; Python needs a hundred bytes for each."""


def from_json(found: SourceObject, number: int, text: str) -> RawDocument:
    """Line `number` of a JSONL file."""
    where = f"line {number}"
    if len(text) > _SMALL and sum(map(text.count, "{[,:")) > _VALUES:
        return refused(found, number, IngestReason.TOO_EXPENSIVE, f"{where} holds more than {_VALUES} values")
    try:
        record = json.loads(text)
    except (ValueError, RecursionError) as error:
        return refused(found, number, IngestReason.BAD_RECORD, f"{where} is not JSON: {str(error)[:150]}")
    return from_fields(found, number, where, record)


def from_fields(found: SourceObject, number: int, where: str, record: Any) -> RawDocument:
    """Converts a decoded record; without a string `text` it is a `bad_record`."""
    if not isinstance(record, dict):
        return refused(found, number, IngestReason.BAD_RECORD, f"{where} is not an object")
    fields = cast("dict[str, Any]", record)
    text = fields.get("text")
    if not isinstance(text, str):
        return refused(found, number, IngestReason.BAD_RECORD, f"{where} has no string `text`")
    name = record_name(fields["id"], text) if "id" in fields else str(number)
    return RawDocument(
        uri=f"{found.uri}#{name}",
        etag=found.etag,
        object_key=found.uri,
        text=_whole(text),
        media_type="text/markdown",
        title=_string(fields.get("title")),
        license=_string(fields.get("license")),
        language=_string(fields.get("lang")),
        metadata=_bounded({name: value for name, value in fields.items() if name not in _OWN_FIELDS}),
    )


def refused(found: SourceObject, number: int | None, reason: IngestReason, detail: str = "") -> RawDocument:
    """A refused document and its reason; `number` is that of the record, None for the whole file."""
    uri = found.uri if number is None else f"{found.uri}#{number}"
    return RawDocument(uri=uri, etag=found.etag, object_key=found.uri, reason=reason, detail=_whole(detail))


def _string(value: Any) -> str | None:
    return one_line(value, _FIELD_CHARS) if isinstance(value, str) else None


def _whole(text: str) -> str:
    """Replaces lone surrogates, which JSON can smuggle in and UTF-8 cannot write."""
    return text.encode("utf-8", "replace").decode()


def _bounded(metadata: dict[str, Any]) -> dict[str, Any]:
    """Metadata as plain JSON of a bounded size; what exceeds it is named, not stored."""
    try:
        text = _whole(json.dumps(metadata, ensure_ascii=False, default=str))
        if len(text) <= _METADATA_CHARS:
            # Python reads and writes NaN and Infinity; JSON has neither.
            return json.loads(text, parse_constant=lambda _: None)
        problem = f"{len(text)} characters of metadata"
    except (ValueError, TypeError, RecursionError) as error:
        problem = f"not JSON: {str(error)[:100]}"
    return {"left_out": problem, "fields": [_whole(name)[:100] for name in sorted(metadata)[:50]]}
