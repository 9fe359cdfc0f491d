"""Compares two recipes of one stage: where their chains differ, and how that changed the results of the same segments.

A changed prompt shows its effect mostly in later stages, in what the validation accepts. So the comparison continues
with the recipes of later stages that differ only in their parents.
"""

from collections.abc import Mapping
from typing import Any

from gem_tasks.domain.base import Value
from gem_tasks.domain.recipe import Recipe
from gem_tasks.domain.stage import EVERY_STAGE
from gem_tasks.errors import UserError
from gem_tasks.lineage.compare import Compared, UsedRecipe
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.prompts.changes import changes


class Difference(Value):
    """How two recipes of a stage differ, apart from their parents."""

    stage: str
    fields: dict[str, tuple[Any, Any]]
    """Differing model, version (of the code) and parameters: A's and B's value."""
    prompt: str
    """Unified diff; empty when the prompts are the same."""


class Effect(Value):
    """The effect on one stage."""

    stage: str
    recipe_a: str
    recipe_b: str
    found: Compared


class Comparison(Value):
    """The differences of two recipes and their effects."""

    recipe_a: str
    recipe_b: str
    stage: str
    differences: list[Difference]
    effects: list[Effect]


def compare(work: Workspace, a: str, b: str) -> Comparison:
    """Compares two recipes, each given by its id, a prefix of it, or a stage's name for the current recipe.

    Raises:
        UserError: no recipe or several match, or they belong to different stages.
    """
    with work.ledger() as ledger:
        used = ledger.comparisons.recipes_used()
        first, second = _resolve(work, used, a), _resolve(work, used, b)
        stages = [used[key].recipe.stage for key in (first, second)]
        if stages[0] != stages[1]:
            raise UserError(
                f"{a} is a recipe of {stages[0]}, {b} of {stages[1]}", "Compare two recipes of the same stage."
            )
        changed = [pair for pair in zip(_chain(used, first), _chain(used, second), strict=True) if _own(*pair)]
        hashes = {each.prompt_sha256 for pair in changed for each in pair if each.prompt_sha256}
        hashes |= {each.params["repair"] for pair in changed for each in pair if "repair" in each.params}
        texts = ledger.comparisons.prompts_named(hashes)
        pairs = _pairs(used, first, second)
        effects = [
            Effect(stage=used[x].recipe.stage, recipe_a=x, recipe_b=y, found=ledger.comparisons.compared(x, y))
            for x, y in pairs
        ]
    return Comparison(
        recipe_a=first,
        recipe_b=second,
        stage=stages[0],
        differences=[_difference(x, y, texts) for x, y in changed],
        effects=[effect for effect in effects if effect.found.segments],
    )


def _resolve(work: Workspace, used: Mapping[str, UsedRecipe], given: str) -> str:
    if given in EVERY_STAGE:
        line = work if given in work.chain.line else work.in_worlds()
        given = line.chain.id_of(given)
    found = [key for key in used if key.startswith(given)]
    if len(found) != 1:
        cause = f"{len(found)} recipes begin" if found else "No recipe begins"
        raise UserError(f"{cause} with {given!r}", "`gem diff` without arguments lists all recipes.")
    return found[0]


def _chain(used: Mapping[str, UsedRecipe], recipe_id: str | None) -> list[Recipe]:
    """The recipe and its ancestors, root first."""
    chain: list[Recipe] = []
    while recipe_id:
        chain.insert(0, used[recipe_id].recipe)
        recipe_id = used[recipe_id].recipe.parent
    return chain


def _own(a: Recipe, b: Recipe) -> bool:
    """Whether they differ in more than their parents."""
    return a.model_copy(update={"parent": None}) != b.model_copy(update={"parent": None})


def _pairs(used: Mapping[str, UsedRecipe], a: str, b: str) -> list[tuple[str, str]]:
    """The pair and the recipes that follow it; of several continuations, the one with most results."""
    pairs = [(a, b)]
    while True:
        last = pairs[-1]
        following = [
            (x, y)
            for x, one in used.items()
            if one.recipe.parent == last[0]
            for y, other in used.items()
            if other.recipe.parent == last[1] and not _own(one.recipe, other.recipe)
        ]
        if not following or last[0] == last[1]:
            return pairs
        pairs.append(max(following, key=lambda pair: min(used[key].results for key in pair)))


def _difference(a: Recipe, b: Recipe, texts: Mapping[str, str]) -> Difference:
    fields: dict[str, tuple[Any, Any]] = {
        name: (getattr(a, name), getattr(b, name))
        for name in ("model", "version")
        if getattr(a, name) != getattr(b, name)
    }
    for name in sorted((a.params.keys() | b.params.keys()) - {"repair"}):
        if a.params.get(name) != b.params.get(name):
            fields[name] = (a.params.get(name), b.params.get(name))
    diff = _diff(a.stage, a.prompt_sha256, b.prompt_sha256, texts)
    diff += _diff("repair", a.params.get("repair"), b.params.get("repair"), texts)
    return Difference(stage=a.stage, fields=fields, prompt=diff)


def _diff(name: str, a: str | None, b: str | None, texts: Mapping[str, str]) -> str:
    if a == b or not a or not b:
        return ""
    lines = changes(texts.get(a, ""), texts.get(b, ""), f"{name} {a[:12]}", f"{name} {b[:12]}")
    return "".join(f"{line}\n" for line in lines) or "only line ends differ\n"
