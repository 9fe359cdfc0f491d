"""Lineage of sources: what is registered, which objects each holds, and how far a scan has come."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple

from gem_tasks.domain.base import Value
from gem_tasks.domain.corpus import Source
from gem_tasks.lineage.connection import Part, columns

_OBJECT = "key etag size documents".split()


class Registered(Source):
    """A source with its number and state."""

    source_id: int
    kind: str
    enabled: bool
    scan_position: str
    """Key up to which an unfinished scan has come; empty when there is none."""


class SourceRow(NamedTuple):
    """A source with its settings, its state, and how much it holds."""

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
    """When it was last seen whole."""
    interrupted: bool
    objects: int
    documents: int
    missing: int
    gone: int

    @property
    def source(self) -> Source:
        """What of it a person sets."""
        return Source.model_validate({name: getattr(self, name) for name in Source.model_fields})


class ListedObject(Value):
    """A listed object beside what is recorded of it."""

    key: str
    same: bool
    """Unchanged since it was last read to the end."""
    missing: bool
    """An earlier scan did not find it."""
    documents: int | None
    """How many it held then; None when it is new, or was gone."""


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
    """What `gem source` and the scan record and ask."""

    def register(self, source: Source, kind: str) -> Registered:
        """The source as it is registered now; what is None stays as it was."""
        return self._db.only(Registered, "register_source", kind=kind, **source.model_dump())

    def register_source(self, uri: str) -> int:
        """The number of a source; registering again changes nothing."""
        kind = "s3" if uri.startswith("s3://") else "hf" if uri.startswith("hf://") else "files"
        return self.register(Source(uri=uri), kind).source_id

    def enabled(self) -> list[str]:
        """All enabled sources, oldest first."""
        return [row["uri"] for row in self._db.rows("enabled_sources")]

    def partitions_of(self, uri: str) -> list[str]:
        """Partitions that hold live segments of a source, oldest first."""
        return [row["partition_key"] for row in self._db.rows("partitions_of_source", uri=uri)]

    def all(self) -> list[SourceRow]:
        """All sources with settings, state, and how much each holds."""
        return self._db.all(SourceRow, "source_list")

    def enable(self, which: str, enabled: bool) -> str | None:
        """Switches a source, named by URI or number, on or off; its URI, or None if there is no such source."""
        found = self._db.rows("enable_source", which=which, enabled=enabled)
        return found[0]["uri"] if found else None

    def limit(self, which: str, limit: int | None) -> str | None:
        """Sets how many documents of a source are read, None for all; answers like `enable`."""
        found = self._db.rows("limit_source", which=which, limit=limit)
        return found[0]["uri"] if found else None

    def compare_objects(self, source_id: int, keys: Sequence[str], etags: Sequence[str]) -> list[ListedObject]:
        """What is known of listed objects."""
        return self._db.all(ListedObject, "compare_objects", source_id=source_id, keys=list(keys), etags=list(etags))

    def mark_missing(
        self, source_id: int, after: str, upto: str | None, keys: Sequence[str], closed: Sequence[str]
    ) -> None:
        """Notes which known objects between two keys of the listing are not among its `keys`.

        Args:
            source_id: of what.
            after: the key before the first of `keys`.
            upto: the last of them; None: to the end.
            keys: what was listed.
            closed: folders that could not be looked into; nothing is known of what is below.
        """
        self._db.run("mark_missing", source_id=source_id, after=after, upto=upto, keys=list(keys), closed=list(closed))

    def found_again(self, source_id: int, keys: Collection[str]) -> None:
        """Takes back that these are missing."""
        self._db.run("found_again", source_id=source_id, keys=list(keys))

    def scan_position(self, source_id: int, position: str) -> None:
        """Records how far a scan has come; empty: it is finished."""
        self._db.run("scan_position", source_id=source_id, position=position)

    def known_objects(self, source_id: int) -> SourceExtent:
        """How many objects a source had, and how many of them are missing."""
        return self._db.only(SourceExtent, "known_objects", source_id=source_id)

    def last_object(self, source_id: int) -> str:
        """The last object, in the order of listings, that a source is known to have; empty when it has none."""
        return self._db.one("last_object", source_id=source_id)["key"]

    def upsert_objects(self, source_id: int, objects: Sequence[ReadObject]) -> None:
        """Records what was read to the end."""
        rows = [item.model_dump() for item in objects]
        self._db.run("upsert_objects", source_id=source_id, **columns(rows, _OBJECT))
