"""Queries of the pages of prompts and recipes."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from gem_tasks.domain.base import Json, Value
from gem_tasks.lineage.connection import Part


class Link(Value):
    """A recipe with the time of its last use."""

    recipe_id: str
    stage: str
    version: int
    prompt_sha256: str | None
    model: str | None
    params: Json
    parent_id: str | None
    first_seen_at: datetime
    last_hour: datetime | None

    @property
    def takes(self) -> str:
        """The outcome of the preceding stage that it processes."""
        return str(self.params.get("takes", "accepted"))


class UsedPrompt(NamedTuple):
    """One text of a prompt."""

    sha256: str
    name: str
    chars: int
    first_seen_at: datetime


class RecipeTotal(NamedTuple):
    """Results of a recipe over all partitions; None without such results."""

    recipe_id: str
    accepted: int | None
    rejected: int | None
    failed: int | None
    calls: int | None
    tokens: int | None
    priced: int | None
    usd: float | None


class StaleTotal(NamedTuple):
    """Results of a stage under other than the current recipes, with their cost."""

    stage: str
    segments: int
    calls: int
    priced: int
    usd: float
    first: str
    last: str


class Prompts(Part):
    """Every prompt and recipe that was ever used."""

    def recipes(self) -> list[Link]:
        """All recipes, oldest first."""
        return self._db.all(Link, "console_recipes")

    def used(self) -> list[UsedPrompt]:
        """All prompts, by name, newest first."""
        return self._db.all(UsedPrompt, "console_prompts")

    def text(self, sha256: str) -> str | None:
        """The text of a prompt."""
        return next((row["text"] for row in self._db.rows("console_prompt", sha256=sha256)), None)

    def totals(self, recipe_ids: Sequence[str]) -> dict[str, RecipeTotal]:
        """Totals by recipe; omits recipes without results."""
        found = self._db.all(RecipeTotal, "console_recipe_totals", recipe_ids=list(recipe_ids))
        return {row.recipe_id: row for row in found}

    def stale(self, recipe_ids: Sequence[str]) -> dict[str, StaleTotal]:
        """Results under other recipes than these, by stage."""
        return {row.stage: row for row in self._db.all(StaleTotal, "console_stale", recipe_ids=list(recipe_ids))}
