"""Lineage of what may be removed: what Postgres still refers to, and what it forgot."""

import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager

from gem_tasks.lineage.connection import Part, Row

_ASK_EVERY_S = 0.05
_WRITING, _COLLECTING = "gem-store-writing", "gem-gc"


class Retention(Part):
    """What `upkeep.retention` asks and records; `writing` is for every writer that puts an object before its row."""

    @contextmanager
    def writing(self) -> Generator[None]:
        """Between an object and the row that names it, no collector may judge it. Writers do not wait for writers."""
        self._db.run("lock_shared", name=_WRITING)
        try:
            yield
        finally:
            self._db.run("unlock_shared", name=_WRITING)

    @contextmanager
    def no_writers(self, patience_s: float) -> Generator[bool]:
        """Keeps writers from beginning, for moments only; False when one was busy all the time.

        Asks again and again instead of waiting: who waits for a lock of this kind makes all others wait behind.
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
        """Whether this connection is the only one that collects; holds until it closes."""
        return self._db.one("try_lock", name=_COLLECTING)["got"]

    def kept_recipes(self, current: Sequence[str], days: float) -> set[str]:
        """Recipes in use, see the query."""
        return {row["recipe_id"] for row in self._db.rows("kept_recipes", current=list(current), days=days)}

    def live_objects(self, recipe_ids: Sequence[str], partitions: Sequence[str], shards: Sequence[int]) -> set[int]:
        """Positions of those of the stage objects that a row refers to."""
        found = self._db.rows(
            "live_objects", recipe_ids=list(recipe_ids), partitions=list(partitions), shards=list(shards)
        )
        return {row["position"] - 1 for row in found}

    def live_shards(self, partitions: Sequence[str], shards: Sequence[int]) -> set[int]:
        """Positions of those of the segment objects that a row refers to."""
        return {
            row["position"] - 1
            for row in self._db.rows("live_shards", partitions=list(partitions), shards=list(shards))
        }

    def forget_objects(self, recipe_ids: Sequence[str], partitions: Sequence[str], shards: Sequence[int]) -> None:
        """Results whose objects are removed: should their recipe come back, they are made anew."""
        self._db.run("forget_objects", recipe_ids=list(recipe_ids), partitions=list(partitions), shards=list(shards))

    def shard_is_open(self, recipe_id: str, partition: str, shard: int) -> bool:
        """Whether a journal of the shard may still be of use: a segment lacks a result, or a batch is under way."""
        return self._db.one("shard_is_open", recipe_id=recipe_id, partition=partition, shard=shard)["open"]

    def dataset_states(self, versions: Sequence[str], days: float) -> dict[str, bool]:
        """Known versions, and whether they may go: superseded longer ago than `days`, and never audited."""
        found: list[Row] = self._db.rows("dataset_states", versions=list(versions), days=days)
        return {row["version"]: row["old"] for row in found}

    def mark_collected(self, versions: Sequence[str]) -> None:
        """Their files are gone."""
        self._db.run("mark_collected", versions=list(versions))

    def kept_prefilters(self, days: float) -> set[str]:
        """Object keys of those in use, or retired within the last `days`."""
        return {row["object_key"] for row in self._db.rows("kept_prefilters", days=days)}
