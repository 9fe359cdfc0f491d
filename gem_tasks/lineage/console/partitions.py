"""Queries of the pages of partitions: progress by shard, and gate decisions."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from gem_tasks.domain.base import Value
from gem_tasks.lineage.connection import Part
from gem_tasks.lineage.console.span import PartitionRange


class Decision(Value):
    """A decision of a gate."""

    decision_id: int
    partition: str
    stage: str
    recipe_id: str
    action: str
    reason: str
    person: str | None
    airflow_run_id: str | None
    decided_at: datetime


class PartitionIngested(NamedTuple):
    """Counts of a partition's documents and segments."""

    partition_key: str
    documents: int
    segments: int


class PartitionStage(NamedTuple):
    """Results of a recipe over a partition with the same outcome."""

    partition_key: str
    recipe_id: str
    outcome: str
    segments: int
    updated_at: datetime
    usd: float


class ShardRow(NamedTuple):
    """Results of a recipe over a shard; `recent` are those of the last two minutes."""

    recipe_id: str
    shard: int
    done: int
    accepted: int
    rejected: int
    recent: int


class Partitions(Part):
    """Partitions by key; `source_id` None means any."""

    def newest(self, which: PartitionRange, limit: int) -> list[str]:
        """Keys of the newest partitions, of all sources."""
        rows = self._db.rows("console_partitions", first=which.first, last=which.last, limit=limit)
        return [row["partition_key"] for row in rows]

    def ingested(self, keys: Sequence[str], source_id: int | None) -> dict[str, PartitionIngested]:
        """Documents and segments by partition."""
        found = self._db.all(
            PartitionIngested, "console_partition_ingested", partitions=list(keys), source_id=source_id
        )
        return {row.partition_key: row for row in found}

    def stages(self, keys: Sequence[str], source_id: int | None) -> list[PartitionStage]:
        """Results by partition, recipe and outcome."""
        return self._db.all(PartitionStage, "console_partition_stages", partitions=list(keys), source_id=source_id)

    def shards(self, key: str, recipe_ids: Sequence[str]) -> list[ShardRow]:
        """Results by shard and recipe."""
        return self._db.all(ShardRow, "console_shards", partition=key, recipe_ids=list(recipe_ids))

    def held(self, key: str, recipe_ids: Sequence[str]) -> dict[tuple[int, str], int]:
        """Texts that quotas hold, by shard and recipe of the filter."""
        rows = self._db.rows("console_held_shards", partition=key, recipe_ids=list(recipe_ids))
        return {(row["shard"], row["recipe_id"]): row["texts"] for row in rows}

    def spared(self, key: str, confirm: str, extract: str) -> dict[int, int]:
        """Texts that a synthesizer spares `extract`, by shard."""
        rows = self._db.rows("console_spared_shards", partition=key, confirm=confirm, extract=extract)
        return {row["shard"]: row["texts"] for row in rows}

    def shard_sizes(self, key: str) -> dict[int, int]:
        """Segments of each shard, in order."""
        return {row["shard"]: row["segments"] for row in self._db.rows("shards", partition=key)}

    def decisions(self, key: str | None, limit: int) -> list[Decision]:
        """The newest decisions, of one partition or of all."""
        return self._db.all(Decision, "console_decisions", partition=key, limit=limit)
