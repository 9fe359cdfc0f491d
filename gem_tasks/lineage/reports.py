"""Lineage of datasets, and the questions people ask: summaries and a document's whole life."""

from collections import defaultdict
from collections.abc import Sequence

from gem_tasks.domain.base import Json, Value
from gem_tasks.domain.recipe import Recipe
from gem_tasks.errors import UserError
from gem_tasks.lineage.connection import Connection, Row, columns
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


class Reports(Connection):
    """What publication, export and the CLI record and ask."""

    def commit_dataset(
        self, version: str, partition: str, recipe: Recipe, manifest: Json, rows: Sequence[TrajectoryRow]
    ) -> None:
        """Makes a version the partition's current one, in one transaction."""
        values = [
            {**row.model_dump(), **{name: ",".join(getattr(row, name)) for name in _LISTS}}
            for row in sorted(rows, key=lambda row: row.trajectory_id)
        ]
        recipe_id = recipe.recipe_id
        with self.transaction():
            self.run("lock_dataset", partition=partition)
            self.run("retire_datasets", partition=partition)
            self.run(
                "insert_dataset",
                version=version,
                partition=partition,
                recipe_id=recipe_id,
                trajectories=len(rows),
                manifest=jsonb(manifest),
            )
            self.run("supersede_datasets", version=version, partition=partition)
            self.run("upsert_trajectories", version=version, **columns(values, _TRAJECTORY))

    def replace_exclusions(self, version: str, found: Sequence[Value]) -> None:
        """What a version leaves out: values with `segment_id`, `reason` and `detail`."""
        with self.transaction():
            self.run("clear_exclusions", version=version)
            values = [each.model_dump() for each in found]
            self.run("insert_exclusions", version=version, **columns(values, ("segment_id", "reason", "detail")))

    def dataset_recipes(self, partition: str) -> list[Row]:
        """The chain by which the partition's newest version was made, the root first; empty if there is none."""
        return self.rows("dataset_recipes", partition=partition)

    def withdraw_dataset(self, partition: str) -> None:
        """Leaves a partition without a current version: nothing that it was made of is left."""
        with self.transaction():
            self.run("lock_dataset", partition=partition)
            self.run("retire_datasets", partition=partition)

    def current_datasets(self, partition: str | None = None) -> list[str]:
        """Versions that nothing supersedes, of one partition or of all."""
        return [row["version"] for row in self.rows("current_datasets", partition=partition)]

    def find_trajectories(self, prefix: str) -> list[tuple[str, str]]:
        """`(trajectory id, dataset version)` of current ones that begin so; at most five."""
        found = self.rows("find_trajectories", prefix=prefix)
        return [(row["trajectory_id"], row["dataset_version"]) for row in found]

    def summary(self, partition: str, recipes: Sequence[Recipe], run_id: str | None) -> Json:
        """The partition's numbers under these recipes; calls and tokens of one run, or of all."""
        documents = {row["reason"]: row["documents"] for row in self.rows("document_counts", partition=partition)}
        current = self.rows("current_dataset", partition=partition)
        dataset = current[0] if current else None
        return {
            "partition": partition,
            "documents": {
                "total": sum(documents.values()),
                "reasons": {reason: count for reason, count in documents.items() if reason},
                "unreadable": self.rows("unreadable_documents", partition=partition),
            },
            "segments": sum(row["segments"] for row in self.rows("shards", partition=partition)),
            "stages": [self._stage(partition, recipe, run_id) for recipe in recipes],
            "dataset": dataset,
            "example": dataset["example"] if dataset else None,
        }

    def _stage(self, partition: str, recipe: Recipe, run_id: str | None) -> Json:
        counts = {"accepted": 0, "rejected": 0, "failed": 0}
        reasons: dict[str, int] = {}
        for row in self.rows("stage_counts", partition=partition, recipe_id=recipe.recipe_id):
            counts[row["outcome"]] += row["segments"]
            if row["why"]:
                reasons[row["why"]] = row["segments"]
        cost = self.one("stage_cost", partition=partition, recipe_id=recipe.recipe_id, run_id=run_id)
        return {"stage": recipe.stage, "model": recipe.model, **counts, "reasons": reasons, **cost}

    def lineage(self, id_: str) -> Json | None:
        """A document with its segments, their outcomes and trajectories; None if the id is of nothing.

        Args:
            id_: of a trajectory (or its first six characters or more), segment or document, or a document's URI.

        Raises:
            UserError: trajectories of several documents begin so.
        """
        found = self.rows("find_document", id=id_)
        if not found:
            return None
        document = found[0]
        if document.pop("guessed") and len(found) > 1:
            raise UserError(f"{id_!r} begins trajectories of several documents", "Give more of the id.")
        key = document["document_id"]
        outcomes, made = (
            _by_segment(self.rows(name, document_id=key)) for name in ("document_outcomes", "document_trajectories")
        )
        segments = [
            {**row, "outcomes": outcomes[row["segment_id"]], "trajectories": made[row["segment_id"]]}
            for row in self.rows("document_segments", document_id=key)
        ]
        return {**document, "segments": segments}


def _by_segment(rows: Sequence[Row]) -> defaultdict[str, list[Row]]:
    """The rows under their segment's id, which they lose."""
    grouped: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        grouped[row.pop("segment_id")].append(row)
    return grouped
