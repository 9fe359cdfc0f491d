"""SQL lies in files, each statement with a name, a sentence, and a caller."""

import re
from pathlib import Path

import pytest

from gem_tasks.lineage import queries as module
from gem_tasks.lineage.queries import queries
from gem_tasks.resources import shipped

LINEAGE = Path(module.__file__).parent


def test_every_query_says_in_a_sentence_what_it_is_for():
    for name, statement in queries().items():
        assert re.match(
            r"-- [A-Z](.*\n-- )*.*[.!)]\n(SELECT|INSERT|UPDATE|DELETE|WITH|CREATE TEMP TABLE)\b", statement
        ), name


def test_every_query_is_used_and_every_used_one_exists():
    paths = [*LINEAGE.glob("*.py"), *(LINEAGE.parent / "console").glob("*.py")]
    code = "\n".join(path.read_text(encoding="utf-8") for path in paths)
    used = set(re.findall(r"\.(?:run|rows|one)\(\s*\"(\w+)\"", code))
    assert used <= set(queries())
    assert all(f'"{name}"' in code for name in queries())


def test_a_name_given_twice_is_refused(tmp_path, monkeypatch):
    (tmp_path / "queries").mkdir()
    (tmp_path / "queries" / "a.sql").write_text("-- one --\n-- A.\nSELECT 1\n\n-- one --\n-- B.\nSELECT 2\n")
    monkeypatch.setattr(module, "shipped", lambda _: tmp_path)
    with pytest.raises(ValueError, match="one is defined twice"):
        queries.__wrapped__()


def test_every_view_has_its_file_and_the_question_it_answers_on_top():
    paths = list((shipped("sql") / "views").glob("*.sql"))
    assert paths
    for path in paths:
        text = path.read_text(encoding="utf-8")
        assert re.match(r"(-- .+\n)*-- .*\n", text) and "?" in text.splitlines()[0], path.name
        assert f"CREATE VIEW {path.stem} AS" in text
