"""Accepted trajectories of a partition become a dataset version: Parquet, manifest, card, rows in Postgres.

A version is named by partition and content, so publishing the same set again changes nothing, and a partition that
gained trajectories gets a new version that supersedes its last one.
"""

import json
import tempfile
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from statistics import fmean

import pyarrow as pa
import pyarrow.parquet as pq

from gem_tasks.dataset import card
from gem_tasks.dataset.row import ROW_VERSION, SCHEMA, Row, trajectory_id
from gem_tasks.domain.base import Json, Value
from gem_tasks.domain.trajectory import Size
from gem_tasks.lineage import TrajectoryRow
from gem_tasks.pipeline.records import accepted, output_of, segments_of
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.store import keys


class PublishReport(Value):
    """What a task returns."""

    partition: str
    version: str | None
    """None when there is nothing to publish."""
    trajectories: int
    location: str | None = None


class _Tally:
    """Everything the manifest needs, without keeping the trajectories."""

    def __init__(self) -> None:
        self.rows: list[TrajectoryRow] = []
        self.documents: set[str] = set()
        self.licenses: list[str | None] = []
        self.drafts: list[Size] = []

    def add(self, row: Row, draft: Size) -> None:
        size = row.trajectory.size
        self.rows.append(
            TrajectoryRow(
                trajectory_id=row.trajectory_id,
                segment_id=row.segment.segment_id,
                messages=size.messages,
                tools=size.tools,
                calls=size.calls,
                domains=row.topic.domains,
                platform=row.topic.platform,
                task_category=row.topic.task_category,
            )
        )
        self.documents.add(row.segment.document_id)
        self.licenses.append(row.segment.license)
        self.drafts.append(draft)


def publish(work: Workspace, partition: str) -> PublishReport:
    """Publishes what is accepted under the current recipes.

    The Parquet file is written shard by shard; memory holds one shard and a few numbers per trajectory.
    """
    recipe = work.chain.id_of("validate")
    tally = _Tally()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "train.parquet"
        with pq.ParquetWriter(path, SCHEMA, compression="zstd", compression_level=3) as writer:
            for rows in _shards(work, partition, recipe, tally):
                writer.write_table(pa.Table.from_pylist(rows, schema=SCHEMA), row_group_size=500)
        if not tally.rows:
            return PublishReport(partition=partition, version=None, trajectories=0)
        manifest = _manifest(work, partition, tally)
        version = str(manifest["version"])
        work.store.put(keys.dataset_key(version, "train-00000.parquet"), path.read_bytes())
    work.store.put(keys.dataset_key(version, "README.md"), card.render(manifest).encode())
    # The manifest last: a version without one is unfinished.
    work.store.put(keys.dataset_key(version, "manifest.json"), json.dumps(manifest, indent=1).encode())
    with work.ledger() as ledger:
        ledger.commit_dataset(version, partition, work.chain.by_stage["validate"], manifest, tally.rows)
    location = work.store.url(keys.dataset_key(version, ""))
    return PublishReport(partition=partition, version=version, trajectories=len(tally.rows), location=location)


def _shards(work: Workspace, partition: str, recipe: str, tally: _Tally) -> Iterator[list[dict[str, str]]]:
    """Rows to write, one list per shard."""
    teacher = work.chain.models
    with work.ledger() as ledger:
        numbers = [number for number, _ in ledger.shards(partition)]
    for number in numbers:
        passed = accepted(work, "validate", partition, number)
        if not passed:
            continue
        topics, drafts, refined = (
            output_of(work, name, partition, number) for name in ("filter", "generate", "refine")
        )
        rows: list[dict[str, str]] = []
        for segment in segments_of(work, partition, number):
            key = segment.segment_id
            if key not in passed:
                continue
            row = Row(
                trajectory_id=trajectory_id(key, recipe), segment=segment, topic=topics[key], trajectory=refined[key]
            )
            tally.add(row, drafts[key].size)
            rows.append(row.columns(row.metadata(partition, recipe, teacher)))
        yield rows


def _manifest(work: Workspace, partition: str, tally: _Tally) -> Json:
    digest = sha256("\n".join(sorted(row.trajectory_id for row in tally.rows)).encode()).hexdigest()[:8]
    return {
        "version": f"{partition.replace(':', '').replace('-', '')}-{digest}",
        "row_version": ROW_VERSION,
        "partition": partition,
        "trajectories": len(tally.rows),
        "documents": len(tally.documents),
        "files": ["train-00000.parquet"],
        "teacher": work.chain.models,
        "recipes": {name: work.chain.id_of(name) for name in work.chain.by_stage},
        "means": {"draft": _means(tally.drafts), "refined": _means([_size(row) for row in tally.rows])},
        "licenses": card.counts(tally.licenses),
        "platforms": card.counts(row.platform for row in tally.rows),
        "task_categories": card.counts(row.task_category for row in tally.rows),
    }


def _size(row: TrajectoryRow) -> Size:
    return Size(messages=row.messages, tools=row.tools, calls=row.calls)


def _means(sizes: list[Size]) -> dict[str, float]:
    fields = ("messages", "tools", "calls")
    return {field: round(fmean(getattr(size, field) for size in sizes), 2) for field in fields}
