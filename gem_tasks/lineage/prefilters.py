"""Lineage of learned prefilters: the verdicts they learn from, which one is in use, and what it saves and misses."""

from datetime import datetime
from typing import Literal, NamedTuple

from gem_tasks.domain.base import Json
from gem_tasks.domain.recipe import Recipe
from gem_tasks.lineage.connection import Part
from gem_tasks.lineage.stages import recipe_values
from gem_tasks.lineage.text import jsonb


class CurrentPrefilter(NamedTuple):
    """The prefilter in use."""

    prefilter_id: str
    object_key: str
    sha256: str
    report: Json
    trained_at: datetime


class PrefilterHistory(NamedTuple):
    """A prefilter, in use or not, with what it did."""

    prefilter_id: str
    trained_at: datetime
    retired_at: datetime | None
    retired_because: str | None
    retired_detail: str
    report: Json
    saved_calls: int
    share_asked: int
    """Segments of the random share, which go to the model in any case."""
    share_accepted: int
    share_missed: int
    usd_saved: float | None


class Share(NamedTuple):
    """Random segments that the model accepted, and those of them that the prefilter would have rejected."""

    accepted: int
    missed: int


class VerdictCounts(NamedTuple):
    """Verdicts, and those of them that no prefilter had a say in."""

    verdicts: int
    unbiased: int


class VerdictRow(NamedTuple):
    """A segment that the model judged, and where its text is."""

    segment_id: str
    document_id: str
    partition: str
    shard: int
    unbiased: bool


class Prefilters(Part):
    """What `shard.prefilter` and `upkeep.prefilter_training` record and ask; `recipe_id` is always the filter's."""

    def current(self, recipe_id: str) -> CurrentPrefilter | None:
        """The one in use."""
        return self._db.first(CurrentPrefilter, "current_prefilter", recipe_id=recipe_id)

    def history(self, recipe_id: str) -> list[PrefilterHistory]:
        """All, the newest first, with savings."""
        return self._db.all(PrefilterHistory, "prefilter_history", recipe_id=recipe_id)

    def use(self, filter_recipe: Recipe, prefilter: Recipe, key: str, digest: str, report: Json) -> None:
        """Takes one into use, in place of the last; `prefilter` is its own recipe."""
        recipe_id = filter_recipe.recipe_id
        with self._db.transaction():
            self._db.run("lock_prefilter", recipe_id=recipe_id)
            self._db.run("insert_recipes", **recipe_values(prefilter))
            self._db.run("retire_prefilter", recipe_id=recipe_id, because="replaced", detail="")
            self._db.run(
                "insert_prefilter",
                prefilter_id=prefilter.recipe_id, recipe_id=recipe_id, object_key=key, sha256=digest,
                report=jsonb(report),
            )  # fmt: skip

    def switch_off(self, recipe_id: str, detail: str) -> None:
        """The one in use misses too much."""
        with self._db.transaction():
            self._db.run("lock_prefilter", recipe_id=recipe_id)
            self._db.run("retire_prefilter", recipe_id=recipe_id, because="drift", detail=detail)

    def last_drift(self, recipe_id: str) -> datetime | None:
        """When one switched itself off last."""
        return self._db.one("last_drift", recipe_id=recipe_id)["at"]

    def share(self, recipe_id: str, prefilter_id: str, limit: int) -> Share:
        """Of the newest random segments."""
        return self._db.only(Share, "prefilter_share", recipe_id=recipe_id, prefilter_id=prefilter_id, limit=limit)

    def verdict_counts(self, recipe_id: str, since: datetime | None) -> dict[bool, VerdictCounts]:
        """By accepted or not; unbiased ones since then."""
        found = self._db.rows("verdict_counts", recipe_id=recipe_id, since=since)
        return {row["accepted"]: VerdictCounts(row["verdicts"], row["unbiased"]) for row in found}

    def newest_verdicts(
        self, recipe_id: str, outcome: Literal["accepted", "rejected"], since: datetime | None, limit: int
    ) -> list[VerdictRow]:
        """Segments with where their texts are."""
        return self._db.all(
            VerdictRow, "newest_verdicts", recipe_id=recipe_id, outcome=outcome, since=since, limit=limit
        )

    def withdrawn_rejections(self, recipe_id: str) -> dict[str, int]:
        """Rejections by prefilters that switched themselves off, by partition."""
        found = self._db.rows("withdrawn_rejections", recipe_id=recipe_id)
        return {row["partition"]: row["segments"] for row in found}

    def ask_withdrawn(self, recipe_id: str) -> None:
        """The next run asks the model about those."""
        self._db.run("ask_withdrawn", recipe_id=recipe_id)
