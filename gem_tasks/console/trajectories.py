"""Lists of trajectories: the published ones by what is in them, and those that the validation refused."""

from datetime import datetime

from pydantic import Field

from gem_tasks.console.place import Place, next_cursor, plain
from gem_tasks.domain.base import Value
from gem_tasks.lineage.console import ConsoleRows


class TrajectoryQuery(Value):
    """What to list; None means any."""

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
    cursor: str | None = None
    limit: int = Field(default=50, ge=1, le=200)


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


class TrajectoryPage(Value):
    """Part of a list."""

    trajectories: tuple[TrajectoryItem, ...]
    next: str | None


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


class RefusedPage(Value):
    """Part of a list."""

    refused: tuple[RefusedItem, ...]
    next: str | None


def trajectories(db: ConsoleRows, query: TrajectoryQuery) -> TrajectoryPage:
    """Published ones, the newest first."""
    place = Place.read(query.cursor)
    given = query.model_dump(exclude={"cursor", "limit", "audited"})
    given["audited"] = [row["version"] for row in db.rows("console_audited")] if query.audited else None
    given["unaudited"] = query.audited is False
    rows = db.rows("console_trajectories", **given, at=place.at, id=place.id, limit=query.limit + 1)
    shown = [TrajectoryItem.model_validate(plain(row)) for row in rows[: query.limit]]
    return TrajectoryPage(trajectories=tuple(shown), next=next_cursor(rows, query.limit))


def refused(db: ConsoleRows, reason: str | None, cursor: str | None, limit: int) -> RefusedPage:
    """What checks or judge refused, the newest first."""
    place = Place.read(cursor)
    rows = db.rows("console_refused", reason=reason, at=place.at, id=place.id, limit=limit + 1)
    shown = [RefusedItem.model_validate(plain(row)) for row in rows[:limit]]
    return RefusedPage(refused=tuple(shown), next=next_cursor(rows, limit))
