"""Lineage of recipes: all used ones, and comparisons of two over the same segments."""

from collections.abc import Collection
from datetime import datetime

from gem_tasks.domain.base import Value
from gem_tasks.domain.recipe import Recipe
from gem_tasks.lineage.connection import Part


class UsedRecipe(Value):
    """A recipe with its use."""

    recipe: Recipe
    first_seen_at: datetime
    results: int


class Means(Value):
    """Means per segment. Money is None if no price was known."""

    calls: float
    prompt_tokens: float
    completion_tokens: float
    usd: float | None
    latency_ms: float


class SizePair(Value):
    """A size (messages, tools or calls) of the segments that both accepted."""

    name: str
    pairs: int
    a: float
    b: float
    spread: float
    """Standard deviation of the differences."""


class Compared(Value):
    """Two recipes of a stage, over the segments with a result under both."""

    segments: int
    accepted_a: int
    accepted_b: int
    only_a: int
    """Accepted by A, but not by B."""
    only_b: int
    a: Means | None
    """None without common segments."""
    b: Means | None
    sizes: list[SizePair]
    reasons: dict[str, tuple[int, int]]
    """Segments that A and B rejected or failed, by reason or error class."""


class Comparisons(Part):
    """Queries of `pipeline.rebuild.compare`."""

    def recipes_used(self) -> dict[str, UsedRecipe]:
        """All recipes by id, newest first."""
        found: dict[str, UsedRecipe] = {}
        for row in self._db.rows("recipes_used"):
            key, seen, results = row.pop("recipe_id"), row.pop("first_seen_at"), row.pop("results")
            found[key] = UsedRecipe(recipe=Recipe.model_validate(row), first_seen_at=seen, results=results)
        return found

    def prompts_named(self, hashes: Collection[str]) -> dict[str, str]:
        """Prompt texts by hash."""
        return {row["sha256"]: row["text"] for row in self._db.rows("prompts_named", hashes=sorted(hashes))}

    def compared(self, a: str, b: str) -> Compared:
        """Compares two recipes, given by id."""
        row = self._db.one("compared", a=a, b=b)
        counts = {name: row[name] for name in ("segments", "accepted_a", "accepted_b", "only_a", "only_b")}
        a_means, b_means = (
            Means.model_validate({name: row[f"{name}_{side}"] for name in Means.model_fields})
            if row["segments"]
            else None
            for side in ("a", "b")
        )
        return Compared(
            **counts,
            a=a_means,
            b=b_means,
            sizes=[SizePair.model_validate(size) for size in self._db.rows("compared_sizes", a=a, b=b)],
            reasons={row["why"]: (row["a"], row["b"]) for row in self._db.rows("compared_reasons", a=a, b=b)},
        )
