"""Reports for people: the summary of a partition, and the history of a document."""

from collections import defaultdict
from collections.abc import Sequence

from gem_tasks.domain.base import Json
from gem_tasks.domain.recipe import Recipe
from gem_tasks.errors import UserError
from gem_tasks.lineage.connection import Part, Row


class Reports(Part):
    """Reports for the CLI, the pages and the DAGs."""

    def summary(self, partition: str, recipes: Sequence[Recipe], run_id: str | None) -> Json:
        """Numbers of a partition under these recipes; calls and tokens of one run, or of all."""
        documents = {row["reason"]: row["documents"] for row in self._db.rows("document_counts", partition=partition)}
        current = self._db.rows("current_dataset", partition=partition)
        dataset = current[0] if current else None
        return {
            "partition": partition,
            "documents": {
                "total": sum(documents.values()),
                "reasons": {reason: count for reason, count in documents.items() if reason},
                "unreadable": self._db.rows("unreadable_documents", partition=partition),
            },
            "segments": sum(row["segments"] for row in self._db.rows("shards", partition=partition)),
            "stages": [self._stage(partition, recipe, run_id) for recipe in recipes],
            "dataset": dataset,
            "example": dataset["example"] if dataset else None,
        }

    def _stage(self, partition: str, recipe: Recipe, run_id: str | None) -> Json:
        counts = {"accepted": 0, "rejected": 0, "failed": 0}
        reasons: dict[str, int] = {}
        for row in self._db.rows("stage_counts", partition=partition, recipe_id=recipe.recipe_id):
            counts[row["outcome"]] += row["segments"]
            if row["why"]:
                reasons[row["why"]] = row["segments"]
        cost = self._db.one("stage_cost", partition=partition, recipe_id=recipe.recipe_id, run_id=run_id)
        return {"stage": recipe.stage, "model": recipe.model, **counts, "reasons": reasons, **cost}

    def lineage(self, id_: str) -> Json | None:
        """A document with its segments, their outcomes and trajectories; None if the id is unknown.

        Args:
            id_: id of a trajectory (or at least its first six characters), segment or document, or a document's URI.

        Raises:
            UserError: the prefix matches trajectories of several documents.
        """
        found = self._db.rows("find_document", id=id_)
        if not found:
            return None
        document = found[0]
        if document.pop("guessed") and len(found) > 1:
            raise UserError(f"Trajectories of several documents begin with {id_!r}", "Give more characters of the id.")
        key = document["document_id"]
        outcomes, made = (
            _by_segment(self._db.rows(name, document_id=key)) for name in ("document_outcomes", "document_trajectories")
        )
        segments = [
            {**row, "outcomes": outcomes[row["segment_id"]], "trajectories": made[row["segment_id"]]}
            for row in self._db.rows("document_segments", document_id=key)
        ]
        return {**document, "segments": segments}


def _by_segment(rows: Sequence[Row]) -> defaultdict[str, list[Row]]:
    """Groups rows by segment id, and removes it from them."""
    grouped: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        grouped[row.pop("segment_id")].append(row)
    return grouped
