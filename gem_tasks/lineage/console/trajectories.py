"""Queries of the pages of trajectories: published and rejected ones, and all results of a segment."""

from datetime import datetime
from typing import NamedTuple

from gem_tasks.domain.base import Json, Value
from gem_tasks.domain.stage import StageName
from gem_tasks.lineage.connection import Part
from gem_tasks.lineage.console.listing import Listed, Place, listed


class Wanted(Value):
    """Filters for published trajectories; None means any."""

    domain: str | None = None
    platform: str | None = None
    tool: str | None = None
    finding: str | None = None
    """A finding, as `check: kind`."""
    recipe: str | None = None
    version: str | None = None
    least: int | None = None
    """Minimum number of messages."""
    most: int | None = None
    audited: bool | None = None


class TrajectoryItem(Value):
    """A published trajectory in a list."""

    trajectory_id: str
    segment_id: str
    recipe_id: str
    version: str
    messages: int
    tools: int
    calls: int
    domains: tuple[str, ...]
    platform: str
    task_category: str
    called: tuple[str, ...]
    findings: tuple[str, ...]
    created_at: datetime
    current: bool
    audited_by: str | None


class RefusedItem(Value):
    """A trajectory that the validation rejected."""

    segment_id: str
    recipe_id: str
    reason: str
    detail: str
    partition: str
    updated_at: datetime
    uri: str
    title: str | None


class Published(NamedTuple):
    """The origin of a published trajectory."""

    trajectory_id: str
    segment_id: str
    recipe_id: str
    version: str
    superseded_by: str | None
    audited_by: str | None


class SegmentRow(NamedTuple):
    """A segment with its document."""

    segment_id: str
    document_id: str
    partition: str
    shard: int
    uri: str
    title: str | None
    license: str | None


class ResultRow(NamedTuple):
    """The result of a stage for a segment, and its recipe."""

    recipe_id: str
    stage: StageName
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
    object_key: str
    airflow_run_id: str | None
    airflow_task_id: str | None
    airflow_map_index: int | None
    airflow_try: int | None
    updated_at: datetime
    model: str | None
    prompt_sha256: str | None
    parent_id: str | None
    measures: Json | None
    opened: list[str] | None
    """Kinds of findings that the recipe leaves to a judge."""
    workflow: int
    rollout: int


class Rating(Value):
    """A person's rating."""

    audit_id: str
    rater: str
    coherence: int
    tools: int
    faithfulness: int
    comment: str
    rated_at: datetime


class Trajectories(Part):
    """Lists of trajectories, and one with its history."""

    def published(self, wanted: Wanted, place: Place, limit: int) -> Listed[TrajectoryItem]:
        """One page of published trajectories, newest first."""
        # Named one by one, so that the planner knows that they are few.
        audited = [row["version"] for row in self._db.rows("console_audited")] if wanted.audited else None
        rows = self._db.rows(
            "console_trajectories",
            **wanted.model_dump(exclude={"audited"}),
            audited=audited,
            unaudited=wanted.audited is False,
            **place.model_dump(),
            limit=limit + 1,
        )
        return listed(TrajectoryItem, rows, limit)

    def refused(self, reason: str | None, place: Place, limit: int) -> Listed[RefusedItem]:
        """One page of rejected trajectories, newest first."""
        rows = self._db.rows("console_refused", reason=reason, limit=limit + 1, **place.model_dump())
        return listed(RefusedItem, rows, limit)

    def one(self, trajectory_id: str) -> Published | None:
        """A published trajectory."""
        return self._db.first(Published, "console_trajectory", trajectory_id=trajectory_id)

    def segment(self, segment_id: str) -> SegmentRow | None:
        """A segment with its document."""
        return self._db.first(SegmentRow, "console_segment", segment_id=segment_id)

    def results(self, segment_id: str) -> list[ResultRow]:
        """All results of a segment, oldest first."""
        return self._db.all(ResultRow, "console_results", segment_id=segment_id)

    def ratings(self, trajectory_id: str) -> list[Rating]:
        """Up to twenty ratings of a trajectory, newest first."""
        return self._db.all(Rating, "console_ratings", item_id=trajectory_id)
