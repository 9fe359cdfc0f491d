"""Lineage of versions: superseded and vanished documents, and the datasets that contain them.

A document lives until its object, read to the end, no longer contains it, or until its object is gone. A partition
counts the changes of its documents; a publication records the count that it has seen, so that none is missed.
"""

from collections.abc import Collection, Sequence

from gem_tasks.domain.base import Value
from gem_tasks.lineage.connection import Part, Row


class Settled(Value):
    """Numbers of earlier documents by what happened to them."""

    superseded: int = 0
    gone: int = 0
    restored: int = 0
    reread: int = 0
    """Objects to read again, because a text in them is no longer a duplicate."""

    def __add__(self, other: "Settled") -> "Settled":
        """The sum."""
        mine, theirs = self.model_dump(), other.model_dump()
        return Settled(**{name: count + theirs[name] for name, count in mine.items()})


class Versions(Part):
    """Records and queries of the scan, publication and export."""

    def begin_seen(self) -> None:
        """Prepares this connection for `saw`."""
        self._db.run("make_seen")

    def saw(self, seen: Sequence[tuple[str, str, str]]) -> None:
        """Records documents found in objects during a read: `(document id, object, uri)`."""
        ids, objects, uris = (list(column) for column in zip(*seen, strict=True)) if seen else ([], [], [])
        self._db.run("insert_seen", document_id=ids, object_key=objects, uri=uris)

    def same_records(self, uris: Sequence[str], fingerprints: Sequence[str]) -> dict[int, str]:
        """Maps positions (from 0) to document ids, for records that were read before, word for word."""
        found = self._db.rows("same_records", uris=list(uris), fingerprints=list(fingerprints))
        return {row["number"] - 1: row["document_id"] for row in found}

    def settle(self, complete: Sequence[str], broken: Sequence[str]) -> Settled:
        """Compares the documents seen in objects with earlier ones, in the transaction that adds documents.

        Args:
            complete: objects that were read to their end.
            broken: objects that could not be read to their end, so unseen documents may still exist.
        """
        keys = [*complete, *broken]
        restored = self._db.rows("restore_documents", keys=keys)
        retired = self._db.rows("retire_documents", keys=list(complete))
        self._db.run("forget_seen", keys=keys)
        settled = self._changed([*restored, *retired], retired)
        superseded = sum(row["superseded_by"] is not None for row in retired)
        update = {"restored": len(restored), "superseded": superseded, "gone": len(retired) - superseded}
        return settled.model_copy(update=update)

    def retire_missing(self, source_id: int) -> Settled:
        """Retires all documents of the source's missing objects, in one transaction."""
        with self._db.transaction():
            gone = self._db.rows("retire_missing", source_id=source_id)
            return self._changed(gone, gone).model_copy(update={"gone": len(gone)})

    def changed_partitions(self) -> list[str]:
        """Partitions whose dataset does not yet reflect changes of its documents."""
        return [row["partition_key"] for row in self._db.rows("changed_partitions")]

    def changes(self, partition: str) -> int:
        """A count to read before a partition, and to pass to `changes_published` after its publication."""
        return self._db.one("changes", partition=partition)["changes"]

    def changes_published(self, partition: str, changes: int) -> None:
        """Records that the current version of the partition includes these changes."""
        self._db.run("changes_published", partition=partition, changes=changes)

    def withdrawn_segments(self, partition: str, shard: int) -> set[str]:
        """Segments of a shard whose document was superseded or is gone."""
        return {row["segment_id"] for row in self._db.rows("withdrawn_segments", partition=partition, shard=shard)}

    def withdrawn_trajectories(self, version: str) -> set[str]:
        """Trajectories of a dataset version whose document was superseded or is gone, or that people vetoed since."""
        return {row["trajectory_id"] for row in self._db.rows("withdrawn_trajectories", version=version)}

    def _changed(self, touched: Collection[Row], retired: Collection[Row]) -> Settled:
        """Counts the change for its partitions, and finds documents that are no longer duplicates."""
        partitions = sorted({row["partition_key"] for row in touched if row["reason"] is None})
        if partitions:
            self._db.run("count_changes", partitions=partitions)
        hashes = sorted({row["content_hash"] for row in retired if row["reason"] is None})
        reread = self._db.rows("reread_duplicates", hashes=hashes) if hashes else []
        return Settled(reread=len(reread))
