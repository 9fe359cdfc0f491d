"""A recipe's id changes with everything that can change the output, and with nothing else."""

import pytest

from gem_tasks.domain.recipe import Recipe
from gem_tasks.domain.stage_settings import StageSettings
from gem_tasks.settings import Settings

BASE = Recipe(stage="filter", version=1, prompt_sha256="p", model="m", params={"temperature": 0}, parent="r")


@pytest.mark.parametrize(
    "change",
    [{"stage": "refine"}, {"version": 2}, {"prompt_sha256": "q"}, {"model": "n"}, {"params": {}}, {"parent": None}],
)
def test_every_field_counts(change):
    assert BASE.model_copy(update=change).recipe_id != BASE.recipe_id


def test_the_id_is_stable_between_processes():
    assert BASE.recipe_id == "770a0af5a0da7fb0"


def test_a_changed_model_invalidates_what_follows_and_nothing_before():
    from gem_tasks.pipeline.recipes import Chain

    before, after = Chain(Settings()), Chain(Settings(llm_stages={"refine": StageSettings(model="other")}))
    changed = {name for name in before.by_stage if before.id_of(name) != after.id_of(name)}
    assert changed == {"refine", "validate", "revise", "revalidate"}
