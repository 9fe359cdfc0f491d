"""Lineage of sources: registered sources, their objects, and the progress of scans."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple

from gem_tasks.domain.base import Value
from gem_tasks.domain.corpus import Source
from gem_tasks.lineage.connection import Part, columns

_KINDS = {"s3": "s3://", "hf": "hf://", "web": ("http://", "https://", "sitemap+", "urls+")}
_OBJECT = "key etag size documents".split()


class Registered(Source):
    """A source with its number and state."""

    source_id: int
    kind: str
    enabled: bool
    scan_position: str
    """Last key of an unfinished scan; empty if there is none."""


class SourceRow(NamedTuple):
    """A source with its settings, state and counts."""

    source_id: int
    uri: str
    kind: str
    license: str | None
    target_tokens: int | None
    max_tokens: int | None
    min_chars: int | None
    limit: int | None
    enabled: bool
    registered_at: datetime
    scanned_at: datetime | None
    """Time of the last complete scan."""
    interrupted: bool
    objects: int
    documents: int
    missing: int
    gone: int

    @property
    def source(self) -> Source:
        """The settings of the source."""
        return Source.model_validate({name: getattr(self, name) for name in Source.model_fields})


class Refused(Value):
    """A document without segments."""

    uri: str
    reason: str
    detail: str


class ListedObject(Value):
    """A listed object with its record."""

    key: str
    same: bool
    """Unchanged since it was last read to the end."""
    missing: bool
    """An earlier scan did not find it."""
    documents: int | None
    """Its earlier number of documents; None if it is new or had vanished."""


class ReadObject(Value):
    """An object that was read to its end."""

    key: str
    etag: str
    size: int
    documents: int


class SourceExtent(Value):
    """How much of a source is left."""

    known: int
    documents: int
    missing: int
    example: str | None


class Sources(Part):
    """Records and queries of `gem source` and the scan."""

    def register(self, source: Source, kind: str) -> Registered:
        """Registers a source or changes its settings; None leaves a setting unchanged."""
        return self._db.only(Registered, "register_source", kind=kind, **source.model_dump())

    def register_source(self, uri: str) -> int:
        """Registers a source and returns its number; repeating it changes nothing."""
        kind = next((name for name, marks in _KINDS.items() if uri.startswith(marks)), "files")
        return self.register(Source(uri=uri), kind).source_id

    def enabled(self) -> list[str]:
        """All enabled sources, oldest first."""
        return [row["uri"] for row in self._db.rows("enabled_sources")]

    def partitions_of(self, uri: str) -> list[str]:
        """Partitions that hold live segments of a source, oldest first."""
        return [row["partition_key"] for row in self._db.rows("partitions_of_source", uri=uri)]

    def all(self) -> list[SourceRow]:
        """All sources with settings, state and counts."""
        return self._db.all(SourceRow, "source_list")

    def reasons(self, which: str) -> dict[str, int]:
        """How many documents of a source, given by URI or number, have no segments, by reason; `read`: the others."""
        rows = self._db.rows("source_reasons", which=which)
        return {row["reason"] or "read": row["documents"] for row in rows}

    def refusals(self, which: str, reason: str | None = None, most: int = 20, after: str = "") -> list[Refused]:
        """Documents of a source without segments, by URI.

        Args:
            which: its URI or number.
            reason: only those with this reason.
            most: how many.
            after: only those after this URI.
        """
        return self._db.all(Refused, "source_refusals", which=which, reason=reason, most=most, after=after)

    def enable(self, which: str, enabled: bool) -> str | None:
        """Enables or disables a source, named by URI or number; returns its URI, or None if it does not exist."""
        found = self._db.rows("enable_source", which=which, enabled=enabled)
        return found[0]["uri"] if found else None

    def limit(self, which: str, limit: int | None) -> str | None:
        """Sets the document limit of a source, None for no limit; returns the same as `enable`."""
        found = self._db.rows("limit_source", which=which, limit=limit)
        return found[0]["uri"] if found else None

    def compare_objects(self, source_id: int, keys: Sequence[str], etags: Sequence[str]) -> list[ListedObject]:
        """What is known of listed objects."""
        return self._db.all(ListedObject, "compare_objects", source_id=source_id, keys=list(keys), etags=list(etags))

    def etags(self, source_id: int, keys: Sequence[str]) -> dict[str, str]:
        """Recorded versions of those of these objects that still exist."""
        rows = self._db.rows("object_etags", source_id=source_id, keys=list(keys))
        return {row["key"]: row["etag"] for row in rows}

    def mark_missing(
        self, source_id: int, after: str, upto: str | None, keys: Sequence[str], closed: Sequence[str]
    ) -> None:
        """Marks known objects between two keys of the listing that are not among its `keys`.

        Args:
            source_id: number of the source.
            after: the key before the first of `keys`.
            upto: the last of them; None for the end of the listing.
            keys: the listed keys.
            closed: folders that could not be listed, so their contents are unknown.
        """
        self._db.run("mark_missing", source_id=source_id, after=after, upto=upto, keys=list(keys), closed=list(closed))

    def found_again(self, source_id: int, keys: Collection[str]) -> None:
        """Unmarks missing objects."""
        self._db.run("found_again", source_id=source_id, keys=list(keys))

    def scan_position(self, source_id: int, position: str) -> None:
        """Records the position of a scan; empty if it is finished."""
        self._db.run("scan_position", source_id=source_id, position=position)

    def known_objects(self, source_id: int) -> SourceExtent:
        """How many objects a source had, and how many of them are missing."""
        return self._db.only(SourceExtent, "known_objects", source_id=source_id)

    def last_object(self, source_id: int) -> str:
        """The last known object of a source, in the order of listings; empty if there is none."""
        return self._db.one("last_object", source_id=source_id)["key"]

    def upsert_objects(self, source_id: int, objects: Sequence[ReadObject]) -> None:
        """Records objects that were read to their end."""
        rows = [item.model_dump() for item in objects]
        self._db.run("upsert_objects", source_id=source_id, **columns(rows, _OBJECT))
