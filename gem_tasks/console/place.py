"""Cursors: the position in a list at which the next page starts, as text."""

import base64
import binascii
import json
from datetime import UTC, datetime

from gem_tasks.errors import UserError
from gem_tasks.lineage.console.listing import Place

_LONGEST = 1_000
"""Maximum characters of a cursor."""
_FIRST_YEAR, _LAST_YEAR = 1970, 9999


def read_cursor(cursor: str | None) -> Place:
    """The inverse of `cursor_of`.

    Raises:
        UserError: it is not a cursor of GEM.
    """
    if not cursor:
        return Place()
    try:
        at, key = json.loads(base64.urlsafe_b64decode(cursor[:_LONGEST].encode()))
        place = datetime.fromisoformat(at)
        if not _FIRST_YEAR <= place.year < _LAST_YEAR or not isinstance(key, str):
            raise ValueError("no row is there")
        return Place(at=place if place.tzinfo else place.replace(tzinfo=UTC), id=key)
    except (ValueError, TypeError, OverflowError, RecursionError, binascii.Error):
        raise UserError("This is not a cursor", "Use `next` of the previous answer, or none.") from None


def cursor_of(place: Place | None) -> str | None:
    """The cursor for a position in a list; None at the end of the list."""
    if place is None or place.at is None:
        return None
    return base64.urlsafe_b64encode(json.dumps([place.at.isoformat(), place.id]).encode()).decode()
