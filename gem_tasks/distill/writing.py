"""Writes a set: `sets/{id}/{split}-00000.parquet` in objects of `PART_ROWS` rows, then its manifest."""

import io
import json

import pyarrow as pa
import pyarrow.parquet as pq

from gem_tasks.distill.row import SCHEMA, SET_VERSION
from gem_tasks.domain.distill import SPLITS, SetSpec, SftSet, Split
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.store import keys

PART_ROWS = 1000
"""Maximum rows of one object."""


class Writing:
    """A set that is being written; memory holds one object of each split."""

    def __init__(self, work: Workspace, set_id: str) -> None:
        self._work, self._set_id = work, set_id
        self._parts = {split: _Part(work, set_id, split) for split in SPLITS}

    def add(self, split: Split, row: dict[str, str]) -> None:
        """Adds a row, as `gem_tasks.distill.row` makes it."""
        self._parts[split].add(row)

    def finish(
        self, spec: SetSpec, versions: tuple[str, ...], left_out: dict[str, int], strata: dict[str, dict[str, int]]
    ) -> SftSet:
        """Writes the remaining rows, then the manifest: a set without one is unfinished."""
        found = SftSet(
            set_id=self._set_id,
            spec=spec,
            versions=versions,
            counts={split: part.close() for split, part in self._parts.items()},
            left_out=left_out,
            location=self._work.store.url(keys.set_key(self._set_id, "")),
        )
        manifest = {"set": found.model_dump(), "strata": strata, "set_version": SET_VERSION}
        self._work.store.put(keys.set_key(self._set_id, "manifest.json"), json.dumps(manifest, indent=1).encode())
        return found


class _Part:
    """A split that is being written."""

    def __init__(self, work: Workspace, set_id: str, split: Split) -> None:
        self._work, self._set_id, self._split = work, set_id, split
        self._rows: list[dict[str, str]] = []
        self._written = 0

    def add(self, row: dict[str, str]) -> None:
        self._rows.append(row)
        if len(self._rows) == PART_ROWS:
            self._flush()

    def close(self) -> int:
        """Writes the remaining rows and returns the number of all rows."""
        if self._rows:
            self._flush()
        return self._written

    def _flush(self) -> None:
        name = f"{self._split}-{self._written // PART_ROWS:05d}.parquet"
        sink = io.BytesIO()
        table = pa.Table.from_pylist(self._rows, schema=SCHEMA)
        pq.write_table(table, sink, compression="zstd", compression_level=3, row_group_size=200)
        self._work.store.put(keys.set_key(self._set_id, name), sink.getvalue())
        self._written += len(self._rows)
        self._rows = []
