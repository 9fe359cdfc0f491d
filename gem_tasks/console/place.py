"""Where a list goes on: a cursor instead of a page number, so that page 1000 costs what page 1 does."""

import base64
import binascii
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from gem_tasks.domain.base import Value
from gem_tasks.errors import UserError
from gem_tasks.lineage.connection import Row

_LONGEST = 1_000
"""Characters of a cursor."""
_FIRST_YEAR, _LAST_YEAR = 1970, 9999


class Place(Value):
    """After which row to go on; both None at the beginning."""

    at: datetime | None = None
    id: str | None = None

    @classmethod
    def read(cls, cursor: str | None) -> "Place":
        """The inverse of `next_cursor`.

        Raises:
            UserError: it is no cursor of ours.
        """
        if not cursor:
            return cls()
        try:
            at, key = json.loads(base64.urlsafe_b64decode(cursor[:_LONGEST].encode()))
            place = datetime.fromisoformat(at)
            if not _FIRST_YEAR <= place.year < _LAST_YEAR or not isinstance(key, str):
                raise ValueError("no row is there")
            return cls(at=place if place.tzinfo else place.replace(tzinfo=UTC), id=key)
        except (ValueError, TypeError, OverflowError, RecursionError, binascii.Error):
            raise UserError(
                "This is no cursor", "Take `next` of the answer before, or none for the beginning."
            ) from None


def next_cursor(rows: Sequence[Row], limit: int) -> str | None:
    """Goes on after the last of `limit` rows, when one more was found."""
    if len(rows) <= limit:
        return None
    last = rows[limit - 1]
    text = json.dumps([last["place_at"].isoformat(), last["place_id"]])
    return base64.urlsafe_b64encode(text.encode()).decode()


def plain(row: Row) -> dict[str, Any]:
    """A row without its place."""
    return {name: value for name, value in row.items() if name not in ("place_at", "place_id")}
