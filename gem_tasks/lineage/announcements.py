"""Lineage of announcements: which run requested the synthesis of a partition, and which run processes it."""

from collections.abc import Sequence
from typing import NamedTuple

from gem_tasks.domain.base import Json
from gem_tasks.lineage.connection import Part
from gem_tasks.lineage.text import jsonb


class Announcement(NamedTuple):
    """The requested options, and the synthesis run that processes them."""

    options: Json
    taken_by: str | None


class Announcements(Part):
    """Requests of ingestion and backfills to the synthesis."""

    def announce(self, run_id: str, partition: str, options: Json) -> None:
        """Records that the run requests the synthesis of a partition."""
        self._db.run("announce", run_id=run_id, partition=partition, options=jsonb(options))

    def last(self, partition: str) -> Announcement | None:
        """The partition's newest announcement."""
        return self._db.first(Announcement, "last_announcement", partition=partition)

    def take(self, run_ids: Sequence[str], partition: str, taken_by: str) -> None:
        """Records the synthesis run that processes the announcements of these runs."""
        self._db.run("take_announcements", run_ids=list(run_ids), partition=partition, taken_by=taken_by)

    def taken_by(self, run_id: str, partition: str) -> str | None:
        """The synthesis run that processes the announcement; None if none does yet."""
        found = self._db.rows("announcement_taken_by", run_id=run_id, partition=partition)
        return found[0]["taken_by"] if found else None
