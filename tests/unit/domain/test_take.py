"""Conversations of one text: recipes, plans and workflows of their own, and nothing that exists becomes stale."""

import pytest

from gem_tasks.dataset.row import trajectory_id
from gem_tasks.domain.take import FIRST, Take, takes
from gem_tasks.domain.workflow import Extraction
from gem_tasks.pipeline.recipes import Chain
from gem_tasks.settings import Settings
from tests.factories import make_record


def workflows(*names):
    (one,) = make_record().needed("extract", Extraction).workflows
    return Extraction(workflows=tuple(one.model_copy(update={"description": name}) for name in names))


def test_takes_are_all_pairs_the_first_one_first():
    assert takes(1, 1) == (FIRST,)
    assert [(each.workflow, each.rollout) for each in takes(2, 2)] == [(0, 0), (0, 1), (1, 0), (1, 1)]


def test_a_take_has_recipes_of_its_own_from_generate_on_and_shares_what_comes_before():
    chain = Chain(Settings())
    assert chain.with_take(FIRST).recipes == chain.recipes
    made = [chain.with_take(take) for take in takes(2, 2)]
    for stage in ("filter", "extract"):
        assert len({each.id_of(stage) for each in made}) == 1
    for stage in ("generate", "refine", "validate", "revise", "revalidate"):
        assert len({each.id_of(stage) for each in made}) == 4
    assert len({trajectory_id("a text", each.id_of("validate")) for each in made}) == 4
    assert len({each.plan("a text").model_dump_json() for each in made}) == 4


def test_the_workflow_of_a_take_comes_first_and_all_others_stay():
    found = workflows("a", "b", "c")
    turned = Take(workflow=1, rollout=3).of(found)
    assert [each.description for each in turned.workflows] == ["b", "a", "c"]
    assert FIRST.of(found) == found
    with pytest.raises(IndexError):
        Take(workflow=3).of(found)


def test_a_take_is_told_as_its_stage_counts():
    one = Take(workflow=1, rollout=16)
    told = {stage: one.at(stage) for stage in ("generate", "world", "task", "simulate", "verify")}
    assert told == {
        "generate": "workflow 2, rollout 17", "world": "workflow 2", "task": "workflow 2",
        "simulate": "workflow 2, task 1, attempt 2", "verify": "workflow 2, task 1, attempt 2",
    }  # fmt: skip
    assert [FIRST.at(stage) for stage in ("filter", "world", "verify")] == [
        "", "workflow 1", "workflow 1, task 1, attempt 1",
    ]  # fmt: skip
