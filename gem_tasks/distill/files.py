"""Rows as files for a framework: one row in memory at a time, finished files only."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from gem_tasks.dataset.export import published
from gem_tasks.dataset.row import PLAN_FIELDS
from gem_tasks.distill import sets
from gem_tasks.distill.formats import FORMATS, Conversation, side_files
from gem_tasks.distill.formats.verl import SCHEMA as VERL
from gem_tasks.domain.base import Json, Value
from gem_tasks.domain.distill import SPLITS, SftSet
from gem_tasks.domain.plan import columns_of
from gem_tasks.errors import UserError
from gem_tasks.files import json_line, replacing
from gem_tasks.pipeline.workspace import Workspace

_BATCH = 200
_WITHOUT_COLUMNS = ("atif", "adp")
"""Formats with a schema that knows no further columns; they carry the metadata, and the plan with it."""


class Written(Value):
    """A file and its counts."""

    path: Path
    rows: int
    left_out: int
    """Number of rows that the framework's format cannot represent."""


def write_published(work: Workspace, name: str, out: Path, partition: str | None = None) -> Written:
    """Writes all current trajectories to one file.

    Raises:
        UserError: nothing is published, the format does not exist, or the folder cannot be written.
    """
    rows = (Conversation(row["messages"], row["tools"], row["metadata"]) for row in published(work, partition))
    found = _write(rows, name, out, "train", planned=name not in _WITHOUT_COLUMNS)
    if not found.rows:
        where = f" in partition {partition}" if partition else ""
        raise UserError(f"There are no published trajectories{where}", "Make some with `gem run SOURCE`.")
    return found


def write_set(work: Workspace, found: SftSet, name: str, out: Path) -> list[Written]:
    """Writes one file per split.

    Raises:
        UserError: the format does not exist, or the folder cannot be written.
    """
    return [_write(map(_conversation, sets.read(work, found, split)), name, out, split) for split in SPLITS]


def _conversation(row: dict[str, str]) -> Conversation:
    about = {name: row[name] for name in ("trajectory_id", "segment_id", "document_uri")}
    return Conversation(json.loads(row["messages"]), json.loads(row["tools"]), about)


def _write(rows: Iterable[Conversation], name: str, out: Path, split: str, *, planned: bool = False) -> Written:
    """Writes a file; `planned`: with the columns of plans, empty for what was published before there were plans."""
    if name not in FORMATS:
        raise UserError(f"There is no format {name!r}", f"Choose one of: {', '.join(FORMATS)}.")
    path = out / f"{split}.{'parquet' if name == 'verl' else 'jsonl'}"
    counted = _Counted(rows, name, planned=planned)
    try:
        out.mkdir(parents=True, exist_ok=True)
        with replacing(path) as part:
            (_parquet if name == "verl" else _jsonl)(counted, part)
            if not (counted.rows or counted.left_out or split != "train"):
                part.unlink()
        for side, text in side_files(name).items():
            (out / side).write_text(text, encoding="utf-8")
    except OSError as error:
        raise UserError(f"{out} cannot be written: {error.strerror}", "Choose another --out.") from error
    return Written(path=path, rows=counted.rows, left_out=counted.left_out)


class _Counted:
    """Converts rows, and counts converted and omitted ones."""

    def __init__(self, rows: Iterable[Conversation], name: str, *, planned: bool) -> None:
        self._rows, self._convert, self.planned = rows, FORMATS[name], planned
        self.rows = self.left_out = 0

    def __iter__(self) -> Iterator[Json]:
        for found in self._rows:
            made = self._convert(found)
            rows = made if isinstance(made, list) else [made] if made else []
            self.rows += len(rows)
            self.left_out += not rows
            plan = columns_of(found.about.get("plan")) if self.planned else {}
            yield from ({**row, **plan} for row in rows)


def _jsonl(rows: _Counted, path: Path) -> None:
    with path.open("w", encoding="utf-8") as file:
        for row in rows:
            file.write(json_line(row))


def _parquet(rows: _Counted, path: Path) -> None:
    schema = pa.unify_schemas([VERL, pa.schema(PLAN_FIELDS)]) if rows.planned else VERL
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        batch: list[Any] = []
        for row in rows:
            batch.append(row)
            if len(batch) == _BATCH:
                writer.write_table(pa.Table.from_pylist(batch, schema=schema))
                batch = []
        if batch:
            writer.write_table(pa.Table.from_pylist(batch, schema=schema))
