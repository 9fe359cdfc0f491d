"""A version's Parquet file for the Hub: columns that its viewer shows and `load_dataset` reads unchanged.

`messages` is a list of structs, which the viewer draws as a conversation; arguments of calls and the tools are JSON
strings, because structs of different keys would get each other's keys as nulls.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, cast

import pyarrow as pa
import pyarrow.parquet as pq

from gem_tasks.dataset.row import EXECUTION_FIELDS, PLAN_FIELDS, execution_columns
from gem_tasks.distill.formats.conversation import dump, reports_error
from gem_tasks.domain.base import Json
from gem_tasks.domain.plan import columns_of

_CALL = pa.struct(
    [
        ("id", pa.string()),
        ("type", pa.string()),
        ("function", pa.struct([("name", pa.string()), ("arguments", pa.string())])),
    ]
)
_MESSAGE = pa.struct(
    [
        ("role", pa.string()),
        ("content", pa.string()),
        ("tool_calls", pa.list_(_CALL)),
        ("tool_call_id", pa.string()),
    ]
)
_TEXTS = (
    "trajectory_id", "segment_id", "document_uri", "title", "license", "language", "platform", "task_category",
    "summary", "recipe", "partition",
)  # fmt: skip
_COUNTS = ("n_messages", "n_tools", "n_calls", "n_names")
SCHEMA = pa.schema(
    [
        ("messages", pa.list_(_MESSAGE)),
        ("tools", pa.string()),
        ("tool_errors", pa.list_(pa.int32())),
        ("domain", pa.list_(pa.string())),
        *((name, pa.int32()) for name in _COUNTS),
        ("revised", pa.bool_()),
        *((name, pa.string()) for name in _TEXTS),
        ("metadata", pa.string()),
        *((field.name, field.type) for field in (*PLAN_FIELDS, *EXECUTION_FIELDS)),
    ]
)
"""Flat columns for filters; `metadata` repeats everything, as in the export."""
COLUMNS = tuple(f"{name}: {SCHEMA.field(name).type}" for name in SCHEMA.names)
"""Names and types of the columns."""
_BATCH = 200


def schema_of(manifest: Json) -> pa.Schema:
    """`SCHEMA`, with `reasoning_content` in the messages if the version has thoughts."""
    if not manifest.get("thoughts"):
        return SCHEMA
    fields = cast("list[Any]", [_MESSAGE.field(at) for at in range(_MESSAGE.num_fields)])
    thinking = pa.struct([*fields, pa.field("reasoning_content", pa.string())])
    return SCHEMA.set(0, pa.field("messages", pa.list_(thinking)))


def row_of(row: Json) -> Json:
    """A published row in the columns of `SCHEMA`.

    Args:
        row: `{"messages", "tools", "metadata"}` of `gem_tasks.dataset.export.published`.
    """
    about: Json = row["metadata"]
    return {
        "messages": row["messages"],
        "tools": json.dumps(row["tools"], ensure_ascii=False),
        "tool_errors": [place for place, message in enumerate(row["messages"]) if reports_error(message)],
        "domain": [str(each) for each in about.get("domain") or ()],
        **{name: about.get(name) for name in _COUNTS},
        "revised": bool(about.get("revised")),
        **{name: None if about.get(name) is None else str(about[name]) for name in _TEXTS},
        "metadata": dump(about),
        **columns_of(about.get("plan")),
        **execution_columns(about),
    }


def write(rows: Iterable[Json], path: Path, schema: pa.Schema = SCHEMA) -> int:
    """Writes the file, some rows in memory at a time, and returns their number."""
    count = 0
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        batch: list[Any] = []
        for row in rows:
            batch.append(row_of(row))
            count += 1
            if len(batch) == _BATCH:
                writer.write_table(pa.Table.from_pylist(batch, schema=schema))
                batch = []
        writer.write_table(pa.Table.from_pylist(batch, schema=schema))
    return count
