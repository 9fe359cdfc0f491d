"""Lineage of learned prefilters: the verdicts they learn from, which one is in use, and what it saves and misses."""

from datetime import datetime
from typing import Literal

from gem_tasks.domain.base import Json
from gem_tasks.domain.recipe import Recipe
from gem_tasks.lineage.connection import Part, Row
from gem_tasks.lineage.stages import recipe_values
from gem_tasks.lineage.text import jsonb


class Prefilters(Part):
    """What `shard.prefilter` and `upkeep.prefilter_training` record and ask; `recipe_id` is always the filter's."""

    def current_prefilter(self, recipe_id: str) -> Row | None:
        """The one in use."""
        return next(iter(self._db.rows("current_prefilter", recipe_id=recipe_id)), None)

    def prefilter_history(self, recipe_id: str) -> list[Row]:
        """All, the newest first, with savings."""
        return self._db.rows("prefilter_history", recipe_id=recipe_id)

    def use_prefilter(self, filter_recipe: Recipe, prefilter: Recipe, key: str, digest: str, report: Json) -> None:
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

    def prefilter_share(self, recipe_id: str, prefilter_id: str, limit: int) -> tuple[int, int]:
        """Of the newest random segments that the model accepted: how many there are, how many it would have missed."""
        found = self._db.one("prefilter_share", recipe_id=recipe_id, prefilter_id=prefilter_id, limit=limit)
        return found["accepted"], found["missed"]

    def verdict_counts(self, recipe_id: str, since: datetime | None) -> dict[bool, tuple[int, int]]:
        """By accepted or not: verdicts, and those of them (since then) that no prefilter had a say in."""
        found = self._db.rows("verdict_counts", recipe_id=recipe_id, since=since)
        return {row["accepted"]: (row["verdicts"], row["unbiased"]) for row in found}

    def newest_verdicts(
        self, recipe_id: str, outcome: Literal["accepted", "rejected"], since: datetime | None, limit: int
    ) -> list[Row]:
        """Segments with where their texts are."""
        return self._db.rows("newest_verdicts", recipe_id=recipe_id, outcome=outcome, since=since, limit=limit)

    def withdrawn_rejections(self, recipe_id: str) -> dict[str, int]:
        """Rejections by prefilters that switched themselves off, by partition."""
        found = self._db.rows("withdrawn_rejections", recipe_id=recipe_id)
        return {row["partition"]: row["segments"] for row in found}

    def ask_withdrawn(self, recipe_id: str) -> None:
        """The next run asks the model about those."""
        self._db.run("ask_withdrawn", recipe_id=recipe_id)
