"""Lineage of quotas: what the accepted texts are about, and which of them a quota holds."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from gem_tasks.domain.quota import Counted, Text
from gem_tasks.lineage.connection import Part, columns


class Accepted(NamedTuple):
    """A text that the filter accepted, and where its shard is."""

    segment_id: str
    partition: str
    shard: int


class Sorted(NamedTuple):
    """What an accepted text is about."""

    segment_id: str
    partition: str
    domains: tuple[str, ...]
    platform: str
    task: str


class Share(NamedTuple):
    """Texts of one kind and name."""

    kind: str
    name: str
    passed: int
    held: int


class Held(NamedTuple):
    """Texts of a partition that a quota holds."""

    partition: str
    quota: str
    texts: int


class QuotaTexts(Part):
    """Records and queries of `pipeline.quotas`; `recipe_id` is the filter's."""

    def unknown(self, recipe_id: str, next_recipe: str, partition: str) -> list[Accepted]:
        """Accepted texts without a record: of the partition, and those of others that the next stage worked on."""
        return self._db.all(
            Accepted, "quota_unknown", recipe_id=recipe_id, next_recipe=next_recipe, partition=partition
        )

    def add(self, recipe_id: str, texts: Sequence[Sorted]) -> None:
        """Records what texts are about; they are not held."""
        values = [{**text._asdict(), "domains": ",".join(text.domains)} for text in texts]
        if values:
            self._db.run("insert_quota_texts", recipe_id=recipe_id, **columns(values, Sorted._fields))

    def passed(self, recipe_id: str, next_recipe: str, partition: str) -> tuple[dict[Counted, int], int]:
        """Counts by kind and name, and the total, of what passed in other partitions or was worked on in this one."""
        rows = self._db.rows("quota_passed", recipe_id=recipe_id, next_recipe=next_recipe, partition=partition)
        counts: dict[Counted, int] = {(row["kind"], row["name"]): row["texts"] for row in rows}
        return counts, counts.pop(("total", ""), 0)

    def waiting(self, recipe_id: str, next_recipe: str, partition: str) -> list[Text]:
        """The other accepted texts of the partition."""
        rows = self._db.rows("quota_waiting", recipe_id=recipe_id, next_recipe=next_recipe, partition=partition)
        return [
            Text(
                row["segment_id"],
                (*(("domain", name) for name in row["domains"]), ("platform", row["platform"]), ("task", row["task"])),
                row["kept"],
            )
            for row in rows
        ]

    def decide(self, recipe_id: str, partition: str, held_by: Mapping[str, str | None]) -> None:
        """Records which quota holds each text; None for those that pass."""
        if held_by:
            self._db.run(
                "decide_quota_texts",
                recipe_id=recipe_id, partition=partition, segment_id=list(held_by), held_by=list(held_by.values()),
            )  # fmt: skip

    def release(self, partition: str) -> None:
        """Lets all texts of a partition pass."""
        self._db.run("release_quota_texts", partition=partition)

    def held_segments(self, recipe_id: str, partition: str, shard: int) -> set[str]:
        """Ids of the held texts of a shard."""
        rows = self._db.rows("held_segments_of", recipe_id=recipe_id, partition=partition, shard=shard)
        return {row["segment_id"] for row in rows}

    def shares(self, recipe_id: str) -> list[Share]:
        """Counts by kind and name, and under the kind `total`, over all partitions."""
        return self._db.all(Share, "quota_shares", recipe_id=recipe_id)

    def held(self, recipe_id: str) -> list[Held]:
        """Counts of held texts by partition and quota, oldest partition first."""
        return self._db.all(Held, "quota_held", recipe_id=recipe_id)
