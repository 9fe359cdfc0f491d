"""The recorded version of a page: what a conditional request needs, and the digest of its body.

It is kept as the etag of the page's object, so lineage is the only memory of a web source.
"""

import json
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

_VALIDATOR_CHARS = 300


class State(NamedTuple):
    """A page as it was last read."""

    digest: str = ""
    """Of its body."""
    etag: str = ""
    modified: str = ""
    """Header `Last-Modified`."""
    lastmod: str = ""
    """As in the sitemap."""
    read_at: int = 0
    """Seconds since 1970."""

    @property
    def text(self) -> str:
        """The form to record."""
        return json.dumps(self, separators=(",", ":"))

    @property
    def conditions(self) -> dict[str, str]:
        """Headers with which a server sends the page only if it has changed."""
        given = {"If-None-Match": self.etag, "If-Modified-Since": self.modified}
        return {name: value for name, value in given.items() if value}

    def current(self, lastmod: str) -> bool:
        """Whether the sitemap says that the page has not changed since it was read."""
        changed = _end_of(lastmod) if lastmod else None
        return changed is not None and lastmod == self.lastmod and changed.timestamp() < self.read_at


def recorded(text: str) -> State | None:
    """Reads the recorded form; None if there is none."""
    try:
        found = json.loads(text)
        return State(*found) if isinstance(found, list) else None
    except (ValueError, TypeError):
        return None


def validator(value: str | None) -> str:
    """A header's value, if it is fit to be kept."""
    return value if value and len(value) <= _VALIDATOR_CHARS and value.isascii() and value.isprintable() else ""


def _end_of(lastmod: str) -> datetime | None:
    """The last moment that a date means; a day without a time may end half a day later elsewhere."""
    try:
        if len(lastmod) <= len("2026-12-31"):
            parts = [int(part) for part in lastmod.split("-")]
            if len(parts) != len("ymd"):
                return None
            return datetime(*parts, tzinfo=UTC) + timedelta(hours=36)
        found = datetime.fromisoformat(lastmod)
        return found if found.tzinfo else found.replace(tzinfo=UTC) + timedelta(hours=12)
    except (ValueError, OverflowError):
        return None
