"""Lineage of distillation: sets, their items, and the models trained on them."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from gem_tasks.domain.distill import Candidate, Model, SetSpec, SftSet, Split
from gem_tasks.lineage.connection import Part, columns
from gem_tasks.lineage.text import jsonb

_ITEM = ("trajectory_id", "segment_id", "version", "split")


class CandidateRow(NamedTuple):
    """A trajectory that a set may include."""

    trajectory_id: str | None
    """None for a trajectory that the judge rejected, which is not published."""
    segment_id: str
    version: str
    recipes: dict[str, str]
    """Recipe ids by stage."""
    domain: str
    partition: str
    shard: int
    document_uri: str
    source: str
    copy_of: str | None
    """The document, or address, of which this document is a copy."""


class StageCost(NamedTuple):
    """Cost of segments in a stage."""

    stage: str
    segments: int
    calls: int
    prompt_tokens: int
    completion_tokens: int
    latency_ms: int
    usd: float | None
    accepted: int


class Distill(Part):
    """Records and queries of `gem_tasks.distill`."""

    def sft_candidates(self, spec: SetSpec) -> list[CandidateRow]:
        """Candidates for a set, before its patterns apply, in shard order."""
        return self._db.all(
            CandidateRow, "sft_candidates", partition=spec.partition, audited=spec.audited, unjudged=not spec.judged
        )

    def record_set(self, found: SftSet, items: Sequence[tuple[Candidate, Split]]) -> None:
        """Records a set with its items, in one transaction, unless it is known."""
        rows: list[Mapping[str, str]] = [
            {**item.model_dump(include={"trajectory_id", "segment_id", "version"}), "split": split}
            for item, split in items
        ]
        with self._db.transaction():
            self._db.run(
                "insert_sft_set",
                set_id=found.set_id,
                spec=jsonb(found.spec.model_dump()),
                versions=list(found.versions),
                counts=jsonb(found.counts),
                left_out=jsonb(found.left_out),
                location=found.location,
            )
            self._db.run("insert_sft_set_items", set_id=found.set_id, **columns(rows, _ITEM))

    def find_sets(self, prefix: str = "", limit: int = 20) -> list[SftSet]:
        """Sets whose id has this prefix, newest first."""
        return self._db.all(SftSet, "find_sft_sets", prefix=prefix, limit=limit)

    def record_model(self, model: Model, run_id: str | None = None) -> None:
        """Records a trained model; a known one keeps its status."""
        values = model.model_dump(exclude={"metrics", "created_at"})
        self._db.run("upsert_model", metrics=jsonb(model.metrics), run_id=run_id, **values)

    def find_models(self, prefix: str = "", limit: int = 20) -> list[Model]:
        """Models whose id or name has this prefix, newest first."""
        return self._db.all(Model, "find_models", prefix=prefix, limit=limit)

    def new_since_model(self, name: str) -> int:
        """Current trajectories that no model of this name has seen."""
        return self._db.one("new_since_model", name=name)["fresh"]

    def pipeline_cost(self, segments: Sequence[str], recipes: Sequence[str]) -> list[StageCost]:
        """Cost of segments in the pipeline, by stage, in order."""
        return self._db.all(StageCost, "pipeline_cost", segments=list(segments), recipes=list(recipes))

    def recipes_of_versions(self, versions: Sequence[str]) -> list[list[str]]:
        """Recipe ids of all stages, by dataset version."""
        return [list(row["recipes"].values()) for row in self._db.rows("recipes_of_versions", versions=list(versions))]
