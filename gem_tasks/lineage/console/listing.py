"""A page of a long list: where it begins, and where the next one does, so that page 1000 costs what page 1 does."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Generic, NamedTuple, TypeVar

from gem_tasks.domain.base import Value
from gem_tasks.lineage.connection import Row

T = TypeVar("T")


class Place(Value):
    """After which row to continue; both None at the beginning."""

    at: datetime | None = None
    id: str | None = None


class Listed(NamedTuple, Generic[T]):
    """The rows of a page, and the place of the next; None at the end."""

    rows: list[T]
    next: Place | None


def listed(kind: Callable[..., T], rows: Sequence[Row], limit: int) -> Listed[T]:
    """The first `limit` rows; that there is one more says that there is a next page.

    Args:
        kind: what a row becomes.
        rows: with `place_at` and `place_id`, which they lose.
        limit: rows of a page.
    """
    places = [Place(at=row.pop("place_at"), id=row.pop("place_id")) for row in rows]
    return Listed([kind(**row) for row in rows[:limit]], places[limit - 1] if len(rows) > limit else None)
