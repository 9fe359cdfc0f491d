"""A run keeps the recipes that it began with, and does not mix in those of another deploy."""

import dataclasses

import pytest

from gem_tasks.domain.stage_settings import StageSettings
from gem_tasks.errors import UserError
from gem_tasks.pipeline.rebuild.plan import plan
from gem_tasks.pipeline.recipes import reasons
from gem_tasks.pipeline.run_recipes import pin, pinned, register_recipes
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.prompts import Prompt, shipped
from gem_tasks.stages import STAGES

RUN = "gem_synthesize/r1"


def test_models_prompts_and_sizes_are_those_of_the_runs_beginning(workspace):
    pin(before := workspace(), RUN)
    prompts = shipped().changed(Prompt(name="refine", text="Another."), Prompt(name="repair", text="Otherwise."))
    settings = workspace(llm_model="other", segment_target_tokens=300).settings.with_models({"filter": "third"})
    now = Workspace.open(settings, prompts)
    assert now.chain.recipes != before.chain.recipes
    kept = pinned(now, RUN)
    assert [each.recipe_id for each in kept.chain.recipes] == [each.recipe_id for each in before.chain.recipes]
    assert kept.settings.model_for("filter") == before.settings.model_for("filter")
    assert kept.chain.asking("refine") == before.chain.asking("refine")
    assert not kept.variant
    assert pinned(now, "gem_synthesize/r2").chain is now.chain, "another run"


def test_menus_of_plans_are_those_of_the_runs_beginning(workspace, tmp_path):
    own = tmp_path / "plans.yaml"
    own.write_text('temper: {cross: {weight: 1, says: "Cross."}}', encoding="utf-8")
    pin(before := workspace(plans=own), RUN)
    own.write_text('temper: {calm: {weight: 1, says: "Calm."}}', encoding="utf-8")
    now = workspace(plans=own)
    changed = [
        reasons(one, other, first=False)
        for one, other in zip(now.chain.recipes, before.chain.recipes, strict=True)
        if one.recipe_id != other.recipe_id
    ]
    assert changed == ["plans", *["upstream"] * 4], "generate and what follows"
    kept = pinned(now, RUN)
    assert kept.chain.recipes == before.chain.recipes
    assert kept.chain.plan("a text") == before.chain.plan("a text")
    assert kept.chain.plan("a text").choices["temper"] == "cross"
    own.write_text("temper: {}", encoding="utf-8")
    with pytest.raises(UserError, match=r"GEM_PLANS: .*plans.yaml: temper: Dictionary should have at least 1 item"):
        workspace(plans=own)
    with pytest.raises(UserError, match=r"GEM_PLANS: .* cannot be read: No such file"):
        workspace(plans=tmp_path / "none.yaml")


@pytest.mark.parametrize("change", [{"version": 99}, {"answer_schema": {"type": "object"}}])
def test_code_that_changed_under_a_run_stops_its_tasks(workspace, monkeypatch, change):
    pin(workspace(), RUN)
    (refine,) = (stage for stage in STAGES if stage.name == "refine")
    for name, value in change.items():
        monkeypatch.setattr(type(refine), name, value)
    with pytest.raises(UserError, match=r"recipe of refine has changed since this run began \((code|params)\)"):
        pinned(workspace(), RUN)
    pin(workspace(), RUN)  # cleared from its first task on
    assert pinned(workspace(), RUN).chain.by_stage["refine"].recipe_id == workspace().chain.id_of("refine")


def test_a_variant_stays_one(workspace):
    variant = dataclasses.replace(workspace(llm_stages={"refine": StageSettings(model="other")}), variant=True)
    pin(variant, RUN)
    kept = pinned(dataclasses.replace(workspace(), variant=True), RUN)
    assert kept.variant
    assert kept.chain.by_stage["refine"].model == "other"


def test_planning_records_nothing_and_registering_does(workspace):
    work = workspace()
    with work.ledger() as ledger:
        recipes = "SELECT count(*) AS number FROM recipes"
        assert plan(work, "2026-01-31T14:00") == []
        assert ledger.pg.execute(recipes).fetchone()["number"] == 0
        register_recipes(work)
        assert ledger.pg.execute(recipes).fetchone()["number"] == len(work.chain.recipes)


def test_thoughts_are_those_of_the_runs_beginning(workspace):
    pin(before := workspace(reasoning="ask"), RUN)
    kept = pinned(workspace(reasoning="off"), RUN)
    assert kept.settings.reasoning == "ask"
    assert kept.chain.recipes == before.chain.recipes


@pytest.mark.parametrize(("began", "meanwhile"), [("model", "off"), ("off", "model")])
def test_a_run_has_the_synthesizer_to_its_end_if_it_began_with_it(workspace, began, meanwhile):
    mine = {"synthesize": StageSettings(model="mine")}
    pin(before := workspace(synthesizer=began, llm_stages=mine), RUN)
    kept = pinned(workspace(synthesizer=meanwhile), RUN)
    assert kept.settings.synthesizer == began
    assert kept.every_recipe_id() == before.every_recipe_id()
    assert kept.chain.link("extract") == before.chain.link("extract"), "which texts it is spared"
    pin(now := workspace(synthesizer=meanwhile), RUN)  # cleared from its first task on
    assert pinned(before, RUN).every_recipe_id() == now.every_recipe_id()


def test_a_run_keeps_the_synthesizers_model(workspace):
    pin(workspace(synthesizer="model", llm_stages={"synthesize": StageSettings(model="first")}), RUN)
    kept = pinned(workspace(synthesizer="model", llm_stages={"synthesize": StageSettings(model="second")}), RUN)
    assert kept.with_synthesizer.chain.by_stage["synthesize"].model == "first"
