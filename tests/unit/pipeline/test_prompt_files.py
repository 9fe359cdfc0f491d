"""Prompts of one's own stand in for ours by name; what cannot be one stops the run with one line."""

import pytest

from gem_tasks.errors import UserError
from gem_tasks.pipeline import prompt_files
from gem_tasks.pipeline.prompt_files import load_prompts, pin, pinned
from gem_tasks.prompts import shipped
from gem_tasks.settings import Settings


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "prompts"
    made.mkdir()
    return made


def test_without_a_folder_the_shipped_ones_are_used_and_no_database_is_asked():
    assert load_prompts(Settings()) == shipped()
    assert pinned(Settings(), "run") == shipped()
    pin(Settings(), "run")


def test_a_file_stands_in_for_the_prompt_of_its_name(folder):
    text = shipped()["refine"].text + "\nBe terse.\n"
    (folder / "refine.md").write_text(text, encoding="utf-8")
    found = load_prompts(Settings(prompts=str(folder)))
    assert found["refine"].text == text
    assert found["generate"] == shipped()["generate"]


def test_a_folder_without_prompts_is_a_mistake(folder):
    (folder / "other.md").write_text("x", encoding="utf-8")
    with pytest.raises(UserError, match=r"holds none of .*refine\.md"):
        load_prompts(Settings(prompts=str(folder)))


@pytest.mark.parametrize(
    ("url", "said"),
    [("{folder}/nowhere", "does not exist"), ("ftp://host/prompts", "neither a directory nor s3")],
)
def test_a_place_that_is_none_is_one_line(folder, url, said):
    with pytest.raises(UserError, match=said):
        load_prompts(Settings(prompts=url.format(folder=folder)))


def test_a_prompt_that_breaks_its_contract_names_the_file_and_the_command_that_shows_one(folder):
    (folder / "refine.md").write_text("Do something.", encoding="utf-8")
    with pytest.raises(UserError, match=r"refine\.md cannot be the prompt refine") as caught:
        load_prompts(Settings(prompts=str(folder)))
    assert "gem prompts show refine" in caught.value.fix


def test_a_huge_file_is_refused_before_it_is_read(folder, monkeypatch):
    monkeypatch.setattr(prompt_files, "LARGEST_BYTES", 10)
    (folder / "refine.md").write_bytes(b"x" * 11)
    with pytest.raises(UserError, match="it has 11 bytes"):
        load_prompts(Settings(prompts=str(folder)))
