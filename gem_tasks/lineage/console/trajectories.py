"""What the pages of trajectories ask: published ones, refused ones, and all that was made of a segment."""

from datetime import datetime
from typing import NamedTuple

from gem_tasks.domain.base import Json, Value
from gem_tasks.domain.stage import StageName
from gem_tasks.lineage.connection import Part
from gem_tasks.lineage.console.listing import Listed, Place, listed


class Wanted(Value):
    """Which published trajectories; None means any."""

    domain: str | None = None
    platform: str | None = None
    tool: str | None = None
    finding: str | None = None
    """As `check: kind`."""
    recipe: str | None = None
    version: str | None = None
    least: int | None = None
    """Messages at least."""
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
    """A trajectory that the validation refused."""

    segment_id: str
    recipe_id: str
    reason: str
    detail: str
    partition: str
    updated_at: datetime
    uri: str
    title: str | None


class Published(NamedTuple):
    """What a published trajectory was made of."""

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
    """What a stage made of a segment, and how."""

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


class Rating(Value):
    """What a person thinks of it."""

    audit_id: str
    rater: str
    coherence: int
    tools: int
    faithfulness: int
    comment: str
    rated_at: datetime


class Trajectories(Part):
    """Trajectories in lists, and one with all that led to it."""

    def published(self, wanted: Wanted, place: Place, limit: int) -> Listed[TrajectoryItem]:
        """A page of them, the newest first."""
        # Named one by one, so that the plan knows how few they are.
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
        """A page of what the validation refused, the newest first."""
        rows = self._db.rows("console_refused", reason=reason, limit=limit + 1, **place.model_dump())
        return listed(RefusedItem, rows, limit)

    def one(self, trajectory_id: str) -> Published | None:
        """A published one."""
        return self._db.first(Published, "console_trajectory", trajectory_id=trajectory_id)

    def segment(self, segment_id: str) -> SegmentRow | None:
        """Where a segment lies, and what it is of."""
        return self._db.first(SegmentRow, "console_segment", segment_id=segment_id)

    def results(self, segment_id: str) -> list[ResultRow]:
        """Everything that was ever made of a segment, the oldest first."""
        return self._db.all(ResultRow, "console_results", segment_id=segment_id)

    def ratings(self, trajectory_id: str) -> list[Rating]:
        """What people think of it, the newest first; at most twenty."""
        return self._db.all(Rating, "console_ratings", item_id=trajectory_id)
