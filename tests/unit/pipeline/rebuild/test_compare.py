"""Where two chains of recipes differ, and which of what follows belongs together."""

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from gem_tasks.domain.recipe import Recipe
from gem_tasks.domain.stage import WORLD_LINE
from gem_tasks.errors import UserError
from gem_tasks.lineage.compare import Compared, UsedRecipe
from gem_tasks.pipeline.rebuild.compare import _resolve, compare
from gem_tasks.pipeline.recipes import Chain
from gem_tasks.settings import Settings

TEXTS = {"old" * 10: "one\ntwo\n", "new" * 10: "one\nthree"}


def recipe(stage, parent=None, prompt="old" * 10, **changes):
    values = {"stage": stage, "version": 1, "model": "m", "prompt_sha256": prompt, "params": {}, "parent": parent}
    return Recipe(**{**values, **changes})


def compared(segments):
    return Compared(
        segments=segments, accepted_a=0, accepted_b=0, only_a=0, only_b=0, a=None, b=None, sizes=[], reasons={}
    )


@pytest.fixture
def run():
    def of(recipes, a, b, segments=3):
        used = {
            each.recipe_id: UsedRecipe(recipe=each, first_seen_at=datetime(2026, 1, 1, tzinfo=UTC), results=results)
            for each, results in recipes
        }
        ledger = SimpleNamespace(
            comparisons=SimpleNamespace(
                recipes_used=lambda: used,
                prompts_named=lambda hashes: {key: TEXTS[key] for key in hashes},
                compared=lambda x, y: compared(segments),
            ),
            __enter__=None,
        )

        class Opened:
            def __enter__(self):
                return ledger

            def __exit__(self, *_):
                pass

        return compare(SimpleNamespace(ledger=Opened), a, b)

    return of


def test_the_difference_is_shown_and_the_effect_followed_to_the_last_stage(run):
    a = recipe("refine")
    b = recipe("refine", prompt="new" * 10, model="n", params={"temperature": 1})
    after_a = recipe("validate", parent=a.recipe_id)
    after_b = recipe("validate", parent=b.recipe_id)
    rare = recipe("validate", parent=b.recipe_id, version=2)
    found = run([(a, 9), (b, 9), (after_a, 9), (after_b, 5), (rare, 50)], a.recipe_id, b.recipe_id)
    (difference,) = found.differences
    assert difference.fields == {"model": ("m", "n"), "temperature": (None, 1)}
    assert difference.prompt.splitlines()[2:] == ["@@ -1,2 +1,2 @@", " one", "-two", "+three"]
    assert [(effect.stage, effect.recipe_b) for effect in found.effects] == [
        ("refine", b.recipe_id),
        ("validate", after_b.recipe_id),  # the other one differs by itself
    ]


def test_a_recipe_against_itself_has_no_difference_and_no_second_effect(run):
    a = recipe("refine")
    after = recipe("validate", parent=a.recipe_id)
    found = run([(a, 1), (after, 1)], a.recipe_id, a.recipe_id)
    assert found.differences == []
    assert [effect.stage for effect in found.effects] == ["refine"]


def test_an_effect_without_common_segments_is_left_out(run):
    a, b = recipe("refine"), recipe("refine", version=2)
    assert run([(a, 1), (b, 1)], a.recipe_id, b.recipe_id, segments=0).effects == []


def test_what_names_no_recipe_or_several_or_another_stage_is_said(run):
    a, b = recipe("refine"), recipe("extract")
    with pytest.raises(UserError, match="No recipe begins with 'zzz'"):
        run([(a, 1)], "zzz", a.recipe_id)
    with pytest.raises(UserError, match="2 recipes begin with ''"):
        run([(a, 1), (b, 1)], "", a.recipe_id)
    with pytest.raises(UserError, match="is a recipe of refine"):
        run([(a, 1), (b, 1)], a.recipe_id, b.recipe_id)


def test_a_stage_of_either_line_names_its_current_recipe():
    one_pass = Chain(Settings())
    work = SimpleNamespace(chain=one_pass, in_worlds=lambda: SimpleNamespace(chain=one_pass.over(WORLD_LINE)))
    for chain, stage in ((one_pass, "validate"), (one_pass.over(WORLD_LINE), "world")):
        assert _resolve(work, {chain.id_of(stage): None}, stage) == chain.id_of(stage)
