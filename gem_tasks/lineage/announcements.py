"""Lineage of announcements: which run asks for the synthesis of a partition, and which run took it up."""

from collections.abc import Sequence
from typing import NamedTuple

from gem_tasks.domain.base import Json
from gem_tasks.lineage.connection import Part
from gem_tasks.lineage.text import jsonb


class Announcement(NamedTuple):
    """What was asked for, and the run of the synthesis that took it up."""

    options: Json
    taken_by: str | None


class Announcements(Part):
    """Requests of ingestion and backfills to the synthesis."""

    def announce(self, run_id: str, partition: str, options: Json) -> None:
        """The run asks for the synthesis of a partition."""
        self._db.run("announce", run_id=run_id, partition=partition, options=jsonb(options))

    def last(self, partition: str) -> Announcement | None:
        """The partition's newest."""
        return self._db.first(Announcement, "last_announcement", partition=partition)

    def take(self, run_ids: Sequence[str], partition: str, taken_by: str) -> None:
        """A run of the synthesis takes up what these runs announced."""
        self._db.run("take_announcements", run_ids=list(run_ids), partition=partition, taken_by=taken_by)

    def taken_by(self, run_id: str, partition: str) -> str | None:
        """The run of the synthesis that took it up; None as long as none has."""
        found = self._db.rows("announcement_taken_by", run_id=run_id, partition=partition)
        return found[0]["taken_by"] if found else None
