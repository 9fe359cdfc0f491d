"""Lineage of prefilters: the verdicts for training, the prefilter in use, and what each saves and misses."""

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
    """A prefilter, in use or not, with its results."""

    prefilter_id: str
    trained_at: datetime
    retired_at: datetime | None
    retired_because: str | None
    retired_detail: str
    report: Json
    saved_calls: int
    share_asked: int
    """Segments of the random share, which always go to the model."""
    share_accepted: int
    share_missed: int
    usd_saved: float | None


class Share(NamedTuple):
    """Number of random segments that the model accepted, and of those that the prefilter would have rejected."""

    accepted: int
    missed: int


class VerdictCounts(NamedTuple):
    """Number of verdicts, and of those that no prefilter influenced."""

    verdicts: int
    unbiased: int


class VerdictRow(NamedTuple):
    """A segment with the model's verdict, and the position of its text."""

    segment_id: str
    document_id: str
    partition: str
    shard: int
    unbiased: bool


class Prefilters(Part):
    """For `shard.prefilter` and `upkeep.prefilter_training`; `recipe_id` is always that of the filter."""

    def current(self, recipe_id: str) -> CurrentPrefilter | None:
        """The prefilter in use."""
        return self._db.first(CurrentPrefilter, "current_prefilter", recipe_id=recipe_id)

    def history(self, recipe_id: str) -> list[PrefilterHistory]:
        """All prefilters, newest first, with savings."""
        return self._db.all(PrefilterHistory, "prefilter_history", recipe_id=recipe_id)

    def use(self, filter_recipe: Recipe, prefilter: Recipe, key: str, digest: str, report: Json) -> None:
        """Replaces the prefilter in use; `prefilter` is the recipe of the new one."""
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
        """Switches the prefilter in use off, because it misses too much."""
        with self._db.transaction():
            self._db.run("lock_prefilter", recipe_id=recipe_id)
            self._db.run("retire_prefilter", recipe_id=recipe_id, because="drift", detail=detail)

    def last_drift(self, recipe_id: str) -> datetime | None:
        """Time when a prefilter last switched itself off."""
        return self._db.one("last_drift", recipe_id=recipe_id)["at"]

    def share(self, recipe_id: str, prefilter_id: str, limit: int) -> Share:
        """The share of the newest random segments."""
        return self._db.only(Share, "prefilter_share", recipe_id=recipe_id, prefilter_id=prefilter_id, limit=limit)

    def verdict_counts(self, recipe_id: str, since: datetime | None) -> dict[bool, VerdictCounts]:
        """Verdicts by acceptance; unbiased ones since this time."""
        found = self._db.rows("verdict_counts", recipe_id=recipe_id, since=since)
        return {row["accepted"]: VerdictCounts(row["verdicts"], row["unbiased"]) for row in found}

    def newest_verdicts(
        self, recipe_id: str, outcome: Literal["accepted", "rejected"], since: datetime | None, limit: int
    ) -> list[VerdictRow]:
        """Segments with verdicts, and the positions of their texts."""
        return self._db.all(
            VerdictRow, "newest_verdicts", recipe_id=recipe_id, outcome=outcome, since=since, limit=limit
        )

    def withdrawn_rejections(self, recipe_id: str) -> dict[str, int]:
        """Rejections by prefilters that switched themselves off, by partition."""
        found = self._db.rows("withdrawn_rejections", recipe_id=recipe_id)
        return {row["partition"]: row["segments"] for row in found}

    def ask_withdrawn(self, recipe_id: str) -> None:
        """Marks these rejections, so that the next run asks the model."""
        self._db.run("ask_withdrawn", recipe_id=recipe_id)
