"""Reports for people: the summary of a partition, and the history of a document."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TypeVar

from pydantic import Field

from gem_tasks.domain.base import Json, Value
from gem_tasks.domain.recipe import Recipe
from gem_tasks.errors import UserError
from gem_tasks.lineage.api_findings import RecordedApiFinding
from gem_tasks.lineage.connection import Part, Row

T = TypeVar("T")


NOT_READ = ("unreadable", "unsupported", "disallowed", "moved", "encrypted", "image_only")


class Unreadable(Value):
    """An object that GEM could not, or must not, read."""

    uri: str
    detail: str


class DocumentCounts(Value):
    """A partition's documents."""

    total: int
    reasons: dict[str, int]
    """How many have no segments, by reason."""
    unreadable: tuple[Unreadable, ...]
    """The first twenty of the `NOT_READ` reasons."""


class StageCounts(Value):
    """What a stage did to a partition's segments, or from `generate` on to their conversations."""

    stage: str
    model: str | None
    accepted: int = 0
    rejected: int = 0
    failed: int = 0
    reasons: dict[str, int]
    """Those that were not accepted, by reason or error class."""
    calls: int
    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    usd: float | None


class CurrentDataset(Value):
    """A partition's current version."""

    version: str
    trajectories: int
    manifest: Json
    example: str | None
    """One of its trajectories."""


class PartitionSummary(Value):
    """A partition's numbers."""

    partition: str
    documents: DocumentCounts
    segments: int
    stages: tuple[StageCounts, ...]
    held: dict[str, int] = Field(default_factory=dict)
    """Accepted texts that go no further for now, by the quota that holds them."""
    dataset: CurrentDataset | None
    example: str | None
    """As in the dataset."""


class RecordedOutcome(Value):
    """What a stage made of a segment, by which recipe, in which task."""

    stage: str
    outcome: str
    reason: str | None
    error_class: str | None
    detail: str
    attempts: int
    calls: int
    prompt_tokens: int
    completion_tokens: int
    latency_ms: int
    usd: float | None
    faults: dict[str, int]
    recipe_id: str
    object_key: str
    model: str | None
    prompt_sha256: str | None
    stage_version: int
    airflow_run_id: str | None
    airflow_task_id: str | None
    airflow_map_index: int | None
    airflow_try: int | None
    updated_at: datetime
    workflow: int
    rollout: int


class RecordedTrajectory(Value):
    """A trajectory that was made from a segment."""

    trajectory_id: str
    recipe_id: str
    dataset_version: str
    messages: int
    tools: int
    calls: int
    created_at: datetime
    workflow: int
    rollout: int
    stage: str
    """That accepted it."""


class RecordedSegment(Value):
    """A segment with all of its results."""

    segment_id: str
    partition_key: str
    shard: int
    start_char: int
    end_char: int
    place: str | None = None
    """Where it is in the file, such as `page 12`."""
    tokens: int
    outcomes: tuple[RecordedOutcome, ...]
    """Under all recipes, in the order of their time."""
    trajectories: tuple[RecordedTrajectory, ...]
    api_findings: tuple[RecordedApiFinding, ...] = ()
    """What live APIs want from the tools of its conversations."""


class RecordedDocument(Value):
    """A version of a document, as it was read."""

    document_id: str
    source_id: int
    partition_key: str
    uri: str
    etag: str
    content_hash: str
    title: str | None
    license: str | None
    language: str | None
    chars: int
    metadata: Json
    reason: str | None
    """Why it has no segments."""
    detail: str
    ingested_at: datetime
    object_key: str
    fingerprint: str | None
    superseded_by: str | None
    gone_at: datetime | None
    live: bool


class DocumentLineage(RecordedDocument):
    """A document's whole life."""

    segments: tuple[RecordedSegment, ...]


class Reports(Part):
    """Reports for the CLI, the pages and the DAGs."""

    def summary(self, partition: str, recipes: Sequence[Recipe], run_id: str | None) -> PartitionSummary:
        """The partition's numbers under these recipes, by stage; calls and tokens of one run, or of all."""
        by_stage: defaultdict[str, list[Recipe]] = defaultdict(list)
        for recipe in recipes:
            by_stage[recipe.stage].append(recipe)
        documents = {row["reason"]: row["documents"] for row in self._db.rows("document_counts", partition=partition)}
        dataset = self._db.first(CurrentDataset, "current_dataset", partition=partition)
        return PartitionSummary(
            partition=partition,
            documents=DocumentCounts(
                total=sum(documents.values()),
                reasons={reason: count for reason, count in documents.items() if reason},
                unreadable=tuple(self._db.all(Unreadable, "unreadable_documents", partition=partition)),
            ),
            segments=sum(row["segments"] for row in self._db.rows("shards", partition=partition)),
            stages=tuple(self._stage(partition, each, run_id) for each in by_stage.values()),
            held={row["quota"]: row["texts"] for row in self._held(partition, recipes)},
            dataset=dataset,
            example=dataset.example if dataset else None,
        )

    def _held(self, partition: str, recipes: Sequence[Recipe]) -> list[Row]:
        return self._db.rows("partition_held", partition=partition, recipe_ids=[each.recipe_id for each in recipes])

    def _stage(self, partition: str, recipes: Sequence[Recipe], run_id: str | None) -> StageCounts:
        recipe, which = recipes[0], {"partition": partition, "recipe_ids": [each.recipe_id for each in recipes]}
        counts: defaultdict[str, int] = defaultdict(int)
        reasons: dict[str, int] = {}
        for row in self._db.rows("stage_counts", **which):
            counts[row["outcome"]] += row["segments"]
            if row["why"]:
                reasons[row["why"]] = row["segments"]
        cost = self._db.one("stage_cost", **which, run_id=run_id)
        return StageCounts(stage=recipe.stage, model=recipe.model, reasons=reasons, **counts, **cost)

    def lineage(self, id_: str) -> DocumentLineage | None:
        """A document with its segments, their outcomes and trajectories; None if the id is of nothing.

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
            raise UserError(f"{id_!r} begins trajectories of several documents", "Give more of the id.")
        return DocumentLineage(**document, segments=self._segments(document["document_id"]))

    def _segments(self, document_id: str) -> tuple[RecordedSegment, ...]:
        outcomes = _by_segment(RecordedOutcome, self._db.rows("document_outcomes", document_id=document_id))
        made = _by_segment(RecordedTrajectory, self._db.rows("document_trajectories", document_id=document_id))
        wanted = defaultdict[str, list[RecordedApiFinding]](list)
        for each in self._db.all(RecordedApiFinding, "document_api_findings", document_id=document_id):
            wanted[each.segment_id].append(each)
        return tuple(
            RecordedSegment(
                **row,
                outcomes=outcomes.get(row["segment_id"], ()),
                trajectories=made.get(row["segment_id"], ()),
                api_findings=tuple(wanted[row["segment_id"]]),
            )
            for row in self._db.rows("document_segments", document_id=document_id)
        )


def _by_segment(kind: type[T], rows: Iterable[Row]) -> Mapping[str, tuple[T, ...]]:
    """The rows under their segment's id, which they lose."""
    grouped: defaultdict[str, list[T]] = defaultdict(list)
    for row in rows:
        grouped[row.pop("segment_id")].append(kind(**row))
    return {segment_id: tuple(found) for segment_id, found in grouped.items()}
