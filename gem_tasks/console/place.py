"""Cursors: the place in a list at which the next page begins, as text."""

import base64
import binascii
import json
from datetime import UTC, datetime

from gem_tasks.errors import UserError
from gem_tasks.lineage.console.listing import Place

_LONGEST = 1_000
"""Characters of a cursor."""
_FIRST_YEAR, _LAST_YEAR = 1970, 9999


def read_cursor(cursor: str | None) -> Place:
    """The inverse of `cursor_of`.

    Raises:
        UserError: it is no cursor of ours.
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
        raise UserError("This is no cursor", "Take `next` of the answer before, or none for the beginning.") from None


def cursor_of(place: Place | None) -> str | None:
    """The text that leads to a place of a list; None when the list is at its end."""
    if place is None or place.at is None:
        return None
    return base64.urlsafe_b64encode(json.dumps([place.at.isoformat(), place.id]).encode()).decode()
