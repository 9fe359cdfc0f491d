"""Worlds with tasks from files."""

import pytest

from gem_tasks.errors import UserError
from gem_tasks.evals.worlds.exported import exported
from tests.unit.evals.worlds.office import SHELF


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "worlds").mkdir()
    (tmp_path / "worlds" / "orders.json").write_text(SHELF.model_dump_json(), encoding="utf-8")
    return tmp_path


def test_a_file_a_folder_and_a_dataset_beside_its_worlds_are_the_same(folder):
    for path in (folder, folder / "worlds", folder / "worlds" / "orders.json"):
        assert exported(path) == [SHELF]


def test_what_is_no_world_is_refused_with_its_name(folder):
    for name, text in (("list.json", "[]"), ("half.json", "{"), ("other.json", '{"world": 1}')):
        (folder / name).write_text(text, encoding="utf-8")
        with pytest.raises(UserError, match=name):
            exported(folder / name)
    (folder / "empty").mkdir()
    for missing in (folder / "empty", folder / "no.json"):
        with pytest.raises(UserError, match="has no worlds"):
            exported(missing)
