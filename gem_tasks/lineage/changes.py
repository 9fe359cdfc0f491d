"""Lineage of what people change about single trajectories. Changes are only ever added, until `gem gc` removes them."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from gem_tasks.domain.change import Change
from gem_tasks.lineage.connection import Part

ChangeState = Literal["waiting", "published", "undone", "orphaned", "withdrawn"]
"""`waiting`: the next dataset version considers it. `orphaned`: its conversation was made again and is different."""


class Item(NamedTuple):
    """A trajectory that was published at some time."""

    trajectory_id: str
    segment_id: str
    recipe_id: str
    version: str
    current: bool
    """Whether `version` is the current one of its partition."""
    partition: str
    shard: int
    live: bool
    """Whether its document still exists."""
    opened: list[str]
    """Kinds of findings that its recipe leaves to a judge."""


class ListedChange(Change):
    """A change, and what became of it."""

    partition: str
    uri: str
    state: ChangeState


class Changes(Part):
    """Records and queries of changes."""

    def of_segments(self, segments: Sequence[str]) -> list[Change]:
        """All changes to conversations of these segments; those of one conversation are in order."""
        return self._db.all(Change, "changes_of_segments", segments=list(segments))

    def lock(self, segment_id: str) -> None:
        """Blocks other changes of this segment's conversations until the transaction ends."""
        self._db.run("lock_changes", segment_id=segment_id)

    def add(self, change: Change) -> Change:
        """Appends a change, and marks its partition as changed; in the caller's transaction.

        Returns:
            The change with its position and time.
        """
        values = change.model_dump(exclude={"position", "created_at"}) | {"findings": list(change.findings)}
        counted = self._db.one("change_partition", segment_id=change.segment_id, counts=change.kind != "comment")
        placed = self._db.one("insert_change", **values, **counted)
        self._db.run("set_base", base=change.base, trajectory_id=change.trajectory_id)
        return change.model_copy(update=placed)

    def items(self, prefix: str) -> list[Item]:
        """Up to five trajectories whose id has this prefix, current ones first."""
        return self._db.all(Item, "find_items", prefix=prefix)

    def find(self, prefix: str) -> list[Change]:
        """Up to two changes whose id has this prefix."""
        return self._db.all(Change, "find_change", prefix=prefix)

    def listed(self, trajectory_id: str | None = None, limit: int = 200) -> list[ListedChange]:
        """Changes, newest first: all, or those of one trajectory and the orphaned ones of its text."""
        return self._db.all(ListedChange, "list_changes", trajectory_id=trajectory_id, limit=limit)

    def consider(self, version: str, changes: Sequence[str]) -> None:
        """Records the changes whose conversations a version found."""
        with self._db.transaction():
            self._db.run("forget_considered", version=version)
            self._db.run("consider_changes", version=version, changes=list(changes))

    def vetoed(self, trajectories: Sequence[str]) -> set[str]:
        """Those of these trajectories that people vetoed."""
        return {row["trajectory_id"] for row in self._db.rows("vetoed_trajectories", trajectories=list(trajectories))}

    def waiting_edits(self, partition: str | None = None) -> int:
        """Number of current trajectories whose edit is in no dataset version yet."""
        return self._db.one("waiting_edits", partition=partition)["waiting"]

    def expired(self, days: float) -> dict[str, int]:
        """Bytes of each change whose document has been withdrawn for this long."""
        return {row["change_id"]: row["bytes"] for row in self._db.rows("expired_changes", days=days)}

    def delete(self, changes: Sequence[str]) -> None:
        """Removes changes for good."""
        self._db.run("delete_changes", changes=list(changes))
