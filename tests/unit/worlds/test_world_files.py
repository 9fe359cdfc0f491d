"""Worlds in files: what travels with a dataset, results of the stage, and anything else."""

import json

import pytest

from gem_tasks.evals.worlds.exported import exported
from gem_tasks.worlds import reading
from gem_tasks.worlds.built import Built, Rule, world_id
from gem_tasks.worlds.reading import UnreadableWorldError, read, shelved
from gem_tasks.worlds.world import World
from tests.executed import LENDING, LENDING_ID, REPLAYABLE, TASKS

KEPT = REPLAYABLE.model_copy(update={"tasks": TASKS, "segment_id": "s-1"})


def test_what_travels_comes_back_whole(tmp_path):
    (tmp_path / "worlds").mkdir()
    (tmp_path / "worlds" / "a.json").write_text(KEPT.model_dump_json())
    found = read(tmp_path / "worlds" / "a.json")
    assert (found.world_id, found.replayable) == (LENDING_ID, KEPT)
    assert exported(tmp_path) == [KEPT]


def test_a_result_of_the_stage_has_its_rules():
    built = Built(world=LENDING, rules=(Rule(text="A lent book stays."),), trials={"loads": 1})
    found = shelved(built.model_dump(mode="json"))
    assert (found.built, found.scenarios) == (built, {})
    assert found.as_plain()["rules"][0]["text"] == "A lent book stays."


@pytest.mark.parametrize("found", [{}, [], "x", None, {"scenarios": {}}, {"world": {}, "scenarios": {}}, {"world": 3}])
def test_anything_else_is_refused_with_a_reason(found):
    with pytest.raises(UnreadableWorldError, match="the file holds no world: "):
        shelved(found)


def test_a_file_is_read_only_if_it_is_json_of_a_usual_size(tmp_path, monkeypatch):
    path = tmp_path / "a.json"
    path.write_text("[" * 100_000)
    with pytest.raises(UnreadableWorldError, match="not JSON"):
        read(path)
    monkeypatch.setattr(reading, "LARGEST", 1000)
    with pytest.raises(UnreadableWorldError, match="more than"):
        read(path)
    with pytest.raises(UnreadableWorldError, match="Is a directory"):
        monkeypatch.setattr(reading, "LARGEST", 1 << 20)
        read(tmp_path)


def test_a_new_field_with_its_default_leaves_ids_as_they_are():
    plain = json.loads(LENDING.model_dump_json(exclude_defaults=True))
    assert world_id(World.model_validate(plain)) == LENDING_ID
