"""Lineage of dataset versions: what each holds, what it leaves out, which is current."""

from collections.abc import Sequence
from typing import NamedTuple

from gem_tasks.domain.base import Json, Value
from gem_tasks.domain.recipe import Recipe, Recorded
from gem_tasks.lineage.connection import Part, columns
from gem_tasks.lineage.text import jsonb

_TRAJECTORY = (
    "trajectory_id recipe_id segment_id messages tools calls domains platform task_category called findings".split()
)
_LISTS = ("domains", "called", "findings")
"""Sent joined: psycopg cannot tell a list of lists from a matrix. Their names have no commas."""


class TrajectoryRow(Value):
    """A published trajectory as Postgres keeps it: counts and topic, not the conversation."""

    trajectory_id: str
    recipe_id: str
    """Of the stage that accepted it."""
    segment_id: str
    messages: int
    tools: int
    calls: int
    domains: tuple[str, ...]
    platform: str
    task_category: str
    called: tuple[str, ...] = ()
    """Names of the tools that are called."""
    findings: tuple[str, ...] = ()
    """What the checks noticed without refusing it, as `check: kind`."""


class FoundTrajectory(NamedTuple):
    """A current trajectory."""

    trajectory_id: str
    dataset_version: str


class Datasets(Part):
    """What publication and export record and ask."""

    def commit(
        self, version: str, partition: str, recipe: Recipe, manifest: Json, rows: Sequence[TrajectoryRow]
    ) -> None:
        """Makes a version the partition's current one, in one transaction."""
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

    def replace_exclusions(self, version: str, found: Sequence[Value]) -> None:
        """What a version leaves out: values with `segment_id`, `reason` and `detail`."""
        with self._db.transaction():
            self._db.run("clear_exclusions", version=version)
            values = [each.model_dump() for each in found]
            self._db.run("insert_exclusions", version=version, **columns(values, ("segment_id", "reason", "detail")))

    def recipes(self, partition: str) -> list[Recorded]:
        """The chain by which the partition's newest version was made, the root first; empty if there is none."""
        return self._db.all(Recorded, "dataset_recipes", partition=partition)

    def withdraw(self, partition: str) -> None:
        """Leaves a partition without a current version: nothing that it was made of is left."""
        with self._db.transaction():
            self._db.run("lock_dataset", partition=partition)
            self._db.run("retire_datasets", partition=partition)

    def current(self, partition: str | None = None) -> list[str]:
        """Versions that nothing supersedes, of one partition or of all."""
        return [row["version"] for row in self._db.rows("current_datasets", partition=partition)]

    def find_trajectories(self, prefix: str) -> list[FoundTrajectory]:
        """Current ones whose id begins so; at most five."""
        return self._db.all(FoundTrajectory, "find_trajectories", prefix=prefix)
