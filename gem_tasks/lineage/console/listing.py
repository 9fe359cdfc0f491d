"""Pages of a long list by position of the first row, so that page 1000 takes no longer than page 1."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Generic, NamedTuple, TypeVar

from gem_tasks.domain.base import Value
from gem_tasks.lineage.connection import Row

T = TypeVar("T")


class Place(Value):
    """The row after which to continue; both None at the beginning."""

    at: datetime | None = None
    id: str | None = None


class Listed(NamedTuple, Generic[T]):
    """The rows of a page, and the position of the next; None at the end."""

    rows: list[T]
    next: Place | None


def listed(kind: Callable[..., T], rows: Sequence[Row], limit: int) -> Listed[T]:
    """The first `limit` rows; one more row means that there is a next page.

    Args:
        kind: converts a row.
        rows: rows with `place_at` and `place_id`, which this removes.
        limit: maximum number of rows on a page.
    """
    places = [Place(at=row.pop("place_at"), id=row.pop("place_id")) for row in rows]
    return Listed([kind(**row) for row in rows[:limit]], places[limit - 1] if len(rows) > limit else None)
