"""Shards as Parquet: flat, frozen columns, JSON in strings, zstd. Equal input gives equal bytes."""

import io
import json
import re
from collections.abc import Iterator, Sequence, Set
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from gem_tasks.domain.chat import Usage
from gem_tasks.domain.corpus import Segment
from gem_tasks.domain.outcome import Cost, Outcome
from gem_tasks.errors import StoreError
from gem_tasks.store import parquet

_TEXT, _INT = pa.string(), pa.int64()
# Half a character: JSON escapes and file names in old encodings contain it, but UTF-8 has no bytes for it.
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")

SEGMENTS = pa.schema(
    [
        ("segment_id", _TEXT),
        ("document_id", _TEXT),
        ("document_uri", _TEXT),
        ("title", _TEXT),
        ("license", _TEXT),
        ("language", _TEXT),
        ("start", _INT),
        ("end", _INT),
        ("tokens", _INT),
        ("near_duplicate_of", _TEXT),
        ("place", _TEXT),
        ("text", _TEXT),
    ]
)

OUTCOMES = pa.schema(
    [
        ("segment_id", _TEXT),
        ("kind", _TEXT),
        ("reason", _TEXT),
        ("error_class", _TEXT),
        ("detail", _TEXT),
        ("payload", _TEXT),
        ("raw", _TEXT),
        ("calls", _INT),
        ("prompt_tokens", _INT),
        ("cached_tokens", _INT),
        ("completion_tokens", _INT),
        ("reasoning_tokens", _INT),
        ("latency_s", pa.float64()),
        ("faults", _TEXT),
        ("usd", pa.float64()),
        ("thoughts", _TEXT),
    ]
)

_BATCH_ROWS = 64
_GROUP_ROWS = 500
_COST = ("calls", "latency_s", "usd")


def encode_segments(segments: Sequence[Segment]) -> bytes:
    """One row per segment, in order. Lone surrogates in texts become U+FFFD."""
    return _bytes(_table([segment.model_dump() for segment in segments], SEGMENTS))


def decode_segments(data: bytes) -> Iterator[Segment]:
    """The inverse of `encode_segments`, decoded lazily.

    Raises:
        StoreError: the bytes are not a shard.
    """
    return (Segment.model_validate(row) for row in _decode(data))


def encode_outcomes(outcomes: Sequence[Outcome]) -> bytes:
    """One row per outcome, in order; usage is spread over columns. Lone surrogates in texts become U+FFFD."""
    return add_outcomes(None, frozenset(), outcomes)


def add_outcomes(stored: bytes | None, kept: Set[str], fresh: Sequence[Outcome]) -> bytes:
    """Like `encode_outcomes` for stored and fresh ones together, with a few stored rows in memory at a time.

    Args:
        stored: a shard, or None.
        kept: segment ids of the stored outcomes that stay; the others, which no transaction recorded, are dropped.
        fresh: outcomes to add.

    Raises:
        StoreError: `stored` is not a shard.
    """
    sink = io.BytesIO()
    with pq.ParquetWriter(sink, OUTCOMES, compression="zstd", compression_level=3) as writer:
        for batch in _batches(stored, _GROUP_ROWS) if stored else ():
            writer.write_table(_current(pa.Table.from_batches([batch]), kept))
        writer.write_table(_table([_row(outcome) for outcome in fresh], OUTCOMES), row_group_size=_GROUP_ROWS)
    return sink.getvalue()


def decode_outcomes(data: bytes) -> Iterator[Outcome]:
    """The inverse of `encode_outcomes`, decoded lazily.

    Raises:
        StoreError: the bytes are not a shard.
    """
    return (_outcome(row) for row in _decode(data))


def find_outcome(data: bytes, segment_id: str) -> Outcome | None:
    """The outcome of one segment, without reading the others.

    Raises:
        StoreError: the bytes are not a shard.
    """
    found = _filtered(data, "segment_id", segment_id)
    return _outcome(found[0]) if found else None


def find_segments(data: bytes, document_id: str) -> list[Segment]:
    """The segments of one document; raises like `find_outcome`."""
    return [Segment.model_validate(row) for row in _filtered(data, "document_id", document_id)]


def _filtered(data: bytes, column: str, value: str) -> list[dict[str, Any]]:
    try:
        return list(parquet.rows_with(data, column, [value]))
    except (pa.ArrowException, OSError) as error:
        raise StoreError(f"a shard is damaged: {str(error)[:200]}") from error


def _row(outcome: Outcome) -> dict[str, Any]:
    cost = outcome.cost
    return {
        **outcome.model_dump(exclude={"cost", "measures"}),
        **cost.model_dump(exclude={"usage", "faults"}),
        **cost.usage.model_dump(),
        "faults": json.dumps(cost.faults, sort_keys=True),
    }


def _outcome(row: dict[str, Any]) -> Outcome:
    # Older shards lack columns that were added later: those fields keep their defaults.
    usage = Usage(**{name: row.pop(name) for name in Usage.model_fields if name in row})
    faults = json.loads(row.pop("faults", "{}"))
    cost = Cost(usage=usage, faults=faults, **{name: row.pop(name) for name in _COST if name in row})
    return Outcome(**row, cost=cost)


def _table(rows: list[dict[str, Any]], schema: pa.Schema) -> pa.Table:
    try:
        return pa.Table.from_pylist(rows, schema=schema)
    except UnicodeEncodeError:  # rare, so nothing checks for it beforehand
        return pa.Table.from_pylist([_writable(row) for row in rows], schema=schema)


def _current(table: pa.Table, kept: Set[str]) -> pa.Table:
    """The rows that stay, in the current columns."""
    if table.schema != OUTCOMES:  # written by an older version
        outcomes = [_outcome(row) for row in table.to_pylist()]
        table = _table([_row(outcome) for outcome in outcomes], OUTCOMES)
    return table.filter(pa.array([segment in kept for segment in table["segment_id"].to_pylist()], pa.bool_()))


def _bytes(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink, compression="zstd", compression_level=3, row_group_size=_GROUP_ROWS)
    return sink.getvalue()


def _writable(row: dict[str, Any]) -> dict[str, Any]:
    return {
        name: _LONE_SURROGATE.sub("\ufffd", value) if isinstance(value, str) else value for name, value in row.items()
    }


def _decode(data: bytes) -> Iterator[dict[str, Any]]:
    for batch in _batches(data, _BATCH_ROWS):
        yield from batch.to_pylist()


def _batches(data: bytes, rows: int) -> Iterator[pa.RecordBatch]:
    try:
        yield from parquet.batches(data, rows)
    except (pa.ArrowException, OSError) as error:
        raise StoreError(f"a shard is damaged: {str(error)[:200]}") from error
