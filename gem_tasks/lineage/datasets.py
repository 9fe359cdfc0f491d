"""Lineage of dataset versions: their contents, their exclusions, and which ones are current."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from gem_tasks.domain.base import Json, Value
from gem_tasks.domain.recipe import Recipe, Recorded
from gem_tasks.lineage.connection import Part, columns
from gem_tasks.lineage.text import jsonb

_FACTS = "messages tools calls domains platform task_category called findings".split()
_TRAJECTORY = ["trajectory_id", "recipe_id", "segment_id", *_FACTS, "base"]
_EXCLUSION = ("segment_id", "trajectory_id", "reason", "detail")
_LISTS = ("domains", "called", "findings")
"""Sent as joined text, because psycopg cannot distinguish a list of lists from a matrix. The names have no commas."""


class TrajectoryRow(Value):
    """A published trajectory in Postgres: counts and topic, not the conversation."""

    trajectory_id: str
    recipe_id: str
    """Recipe of the stage that accepted it."""
    segment_id: str
    messages: int
    tools: int
    calls: int
    domains: tuple[str, ...]
    platform: str
    task_category: str
    called: tuple[str, ...] = ()
    """Names of the called tools."""
    findings: tuple[str, ...] = ()
    """Findings that did not reject it, as `check: kind`."""
    base: str | None = None
    """Name of the accepted conversation's content, see `domain.change.base_of`."""


class FoundTrajectory(NamedTuple):
    """A current trajectory."""

    trajectory_id: str
    dataset_version: str


class Datasets(Part):
    """Records and queries of publication and export."""

    def commit(
        self, version: str, partition: str, recipe: Recipe, manifest: Json, rows: Sequence[TrajectoryRow]
    ) -> None:
        """Makes a version the current one of its partition, in one transaction."""
        values = [
            {**row.model_dump(), **{name: ",".join(getattr(row, name)) for name in _LISTS}}
            for row in sorted(rows, key=lambda row: row.trajectory_id)
        ]
        recipe_id = recipe.recipe_id
        with self._db.transaction():
            self._db.run("lock_dataset", partition=partition)
            self._db.run("retire_datasets", partition=partition)
            self._db.run(
                "insert_dataset",
                version=version,
                partition=partition,
                recipe_id=recipe_id,
                trajectories=len(rows),
                manifest=jsonb(manifest),
            )
            self._db.run("supersede_datasets", version=version, partition=partition)
            self._db.run("upsert_trajectories", version=version, **columns(values, _TRAJECTORY))

    def amend(self, version: str, manifest: Json) -> None:
        """Replaces a version's manifest by one that says more about the same rows."""
        self._db.run("amend_dataset", version=version, manifest=jsonb(manifest))

    def replace_exclusions(self, version: str, found: Sequence[Value]) -> None:
        """Records the exclusions of a version: values with the fields of `_EXCLUSION`."""
        with self._db.transaction():
            self._db.run("clear_exclusions", version=version)
            values = [each.model_dump() for each in found]
            self._db.run("insert_exclusions", version=version, **columns(values, _EXCLUSION))

    def recipes(self, partition: str) -> list[Recorded]:
        """The chain of the partition's newest version, root first; empty if there is none."""
        return self._db.all(Recorded, "dataset_recipes", partition=partition)

    def line_recipes(self, partition: str, line: Literal["worlds", "synthesizer"]) -> list[Recorded]:
        """The same of its conversations of another line; empty if it has none."""
        return self._db.all(Recorded, "dataset_line_recipes", partition=partition, line=line)

    def withdraw(self, partition: str) -> None:
        """Leaves a partition without a current version, because it has no trajectory left."""
        with self._db.transaction():
            self._db.run("lock_dataset", partition=partition)
            self._db.run("retire_datasets", partition=partition)

    def current(self, partition: str | None = None) -> list[str]:
        """Current versions, of one partition or of all."""
        return [row["version"] for row in self._db.rows("current_datasets", partition=partition)]

    def find_trajectories(self, prefix: str) -> list[FoundTrajectory]:
        """Up to five current trajectories whose id has this prefix."""
        return self._db.all(FoundTrajectory, "find_trajectories", prefix=prefix)
