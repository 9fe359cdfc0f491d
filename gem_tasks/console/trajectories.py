"""Lists of trajectories: published ones by content, and those that the validation rejected."""

from pydantic import Field

from gem_tasks.console.place import cursor_of, read_cursor
from gem_tasks.domain.base import Value
from gem_tasks.lineage.console import ConsoleRows
from gem_tasks.lineage.console.trajectories import RefusedItem, TrajectoryItem, Wanted


class TrajectoryQuery(Wanted):
    """The trajectories to list, and the page."""

    cursor: str | None = None
    limit: int = Field(default=50, ge=1, le=200)


class TrajectoryPage(Value):
    """One page of a list."""

    trajectories: tuple[TrajectoryItem, ...]
    next: str | None


class RefusedPage(Value):
    """One page of a list."""

    refused: tuple[RefusedItem, ...]
    next: str | None


def trajectories(db: ConsoleRows, query: TrajectoryQuery) -> TrajectoryPage:
    """Published trajectories, newest first."""
    wanted = Wanted(**query.model_dump(include=set(Wanted.model_fields)))
    found = db.trajectories.published(wanted, read_cursor(query.cursor), query.limit)
    return TrajectoryPage(trajectories=tuple(found.rows), next=cursor_of(found.next))


def refused(db: ConsoleRows, reason: str | None, cursor: str | None, limit: int) -> RefusedPage:
    """Trajectories that checks or judge rejected, newest first."""
    found = db.trajectories.refused(reason, read_cursor(cursor), limit)
    return RefusedPage(refused=tuple(found.rows), next=cursor_of(found.next))
