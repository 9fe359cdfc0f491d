"""Lineage of retention: objects that Postgres refers to, and results whose objects were removed."""

import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager

from gem_tasks.lineage.connection import Part, Row

_ASK_EVERY_S = 0.05
_WRITING, _COLLECTING = "gem-store-writing", "gem-gc"


class Retention(Part):
    """Records and queries of `upkeep.retention`; every writer of an object before its row uses `writing`."""

    @contextmanager
    def writing(self) -> Generator[None]:
        """Blocks collectors from writing an object until its row is committed. Writers do not block each other."""
        self._db.run("lock_shared", name=_WRITING)
        try:
            yield
        finally:
            self._db.run("unlock_shared", name=_WRITING)

    @contextmanager
    def no_writers(self, patience_s: float) -> Generator[bool]:
        """Blocks new writers for a moment; yields False if a writer was always active.

        It polls instead of waiting, because all later writers would wait behind a waiting exclusive lock.
        """
        deadline = time.monotonic() + patience_s
        while not (free := self._db.one("try_lock", name=_WRITING)["got"]) and time.monotonic() < deadline:
            time.sleep(_ASK_EVERY_S)
        try:
            yield free
        finally:
            if free:
                self._db.run("unlock", name=_WRITING)

    def only_collector(self) -> bool:
        """Whether this connection is the only collector; valid until it closes."""
        return self._db.one("try_lock", name=_COLLECTING)["got"]

    def kept_recipes(self, current: Sequence[str], days: float) -> set[str]:
        """Recipes in use; see the query."""
        return {row["recipe_id"] for row in self._db.rows("kept_recipes", current=list(current), days=days)}

    def live_objects(self, recipe_ids: Sequence[str], partitions: Sequence[str], shards: Sequence[int]) -> set[int]:
        """Positions of the stage objects that a row refers to."""
        found = self._db.rows(
            "live_objects", recipe_ids=list(recipe_ids), partitions=list(partitions), shards=list(shards)
        )
        return {row["position"] - 1 for row in found}

    def live_shards(self, partitions: Sequence[str], shards: Sequence[int]) -> set[int]:
        """Positions of the segment objects that a row refers to."""
        return {
            row["position"] - 1
            for row in self._db.rows("live_shards", partitions=list(partitions), shards=list(shards))
        }

    def forget_objects(self, recipe_ids: Sequence[str], partitions: Sequence[str], shards: Sequence[int]) -> None:
        """Marks results whose objects are removed: if their recipe returns, GEM recomputes them."""
        self._db.run("forget_objects", recipe_ids=list(recipe_ids), partitions=list(partitions), shards=list(shards))

    def shard_is_open(self, recipe_id: str, partition: str, shard: int) -> bool:
        """Whether a journal of the shard may still be useful: a segment lacks a result, or a batch is running."""
        return self._db.one("shard_is_open", recipe_id=recipe_id, partition=partition, shard=shard)["open"]

    def dataset_states(self, versions: Sequence[str], days: float) -> dict[str, bool]:
        """Known versions, and whether they may be removed: superseded for more than `days`, and never audited."""
        found: list[Row] = self._db.rows("dataset_states", versions=list(versions), days=days)
        return {row["version"]: row["old"] for row in found}

    def mark_collected(self, versions: Sequence[str]) -> None:
        """Records that the files of these versions were removed."""
        self._db.run("mark_collected", versions=list(versions))

    def kept_prefilters(self, days: float) -> set[str]:
        """Object keys of prefilters in use, or retired within the last `days`."""
        return {row["object_key"] for row in self._db.rows("kept_prefilters", days=days)}
