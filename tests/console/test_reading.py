"""The API server lives for weeks: what people edit or rotate meanwhile is seen by the next page."""

from types import SimpleNamespace

import pytest

from gem_tasks.prompts import shipped


@pytest.fixture
def reading(monkeypatch, tmp_path):
    from gem_console import reading

    for name, value in {"GEM_HOME": tmp_path, "GEM_PROMPTS": tmp_path, "GEM_STORE_URL": tmp_path / "store"}.items():
        monkeypatch.setenv(name, str(value))
    monkeypatch.delenv("GEM_POSTGRES_DSN", raising=False)
    (tmp_path / "refine.md").write_text(shipped()["refine"].text + "\nBe brief.\n", encoding="utf-8")
    return reading


def test_pages_and_the_retry_button_see_an_edited_prompt_and_a_rotated_password(reading, monkeypatch, tmp_path):
    found = {"gem_postgres": SimpleNamespace(get_uri=lambda: f"postgres://gem:{password}@nowhere/gem")}
    monkeypatch.setattr(reading, "_connection", found.get)
    reader, password = reading.Reader(), "old"
    before = reader._open()
    recipe = before.work().chain.id_of("refine")
    assert reader._open() is before, "nothing changed"
    (tmp_path / "refine.md").write_text(shipped()["refine"].text + "\nBe long.\n", encoding="utf-8")
    assert reader._open().work().chain.id_of("refine") != recipe
    password = "new"
    after = reader._open()
    assert after is not before
    assert after.work().settings.database == "postgresql://gem:new@nowhere/gem"
