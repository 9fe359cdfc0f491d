"""SQL lies in files, each statement with a name, a sentence, and a caller."""

import ast
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
    code = "\n".join(path.read_text(encoding="utf-8") for path in LINEAGE.rglob("*.py"))
    used = set(re.findall(r"\.(?:run|rows|one|all|first|only)\(\s*(?:\w+,\s*)?\"(\w+)\"", code))
    assert used <= set(queries())
    assert all(name.startswith("schema_") or f'"{name}"' in code for name in queries())


STATEMENT = re.compile(r"\s*(SELECT|INSERT INTO|UPDATE \w+ SET|DELETE FROM|WITH \w+ AS|(CREATE|ALTER|DROP) [A-Z]+) ")
RUNS = {"execute", "executemany", "exec_driver_sql"}
NAMED = {"run", "rows", "one", "all", "first", "only"}
OTHER_DATABASES = {
    "gem_tasks/local/postgres.py",
    "gem_tasks/local/services.py",
    "gem_tasks/local/deployment.py",
    "gem_tasks/local/security_edges.py",
}
"""They make databases, and ask Airflow's for its services or a role for its rights; none knows the lineage's tables."""


def runs_sql(node):
    match node:
        case ast.Constant(value=str(text)):
            return STATEMENT.match(text)
        case ast.Call(func=ast.Attribute(value=ast.Call(func=ast.Name(id="super")))):
            return False
        case ast.Call(func=ast.Attribute(attr=name), args=arguments):
            named = any(isinstance(each, ast.Constant) and each.value in queries() for each in arguments)
            return name in RUNS or (name in NAMED and named)
    return False


def test_only_the_lineage_runs_sql():
    root = LINEAGE.parents[1]
    paths = [path for folder in ("gem_tasks", "plugins", "dags") for path in (root / folder).rglob("*.py")]
    found = {
        str(path.relative_to(root))
        for path in paths
        if LINEAGE not in path.parents and any(map(runs_sql, ast.walk(ast.parse(path.read_text(encoding="utf-8")))))
    }
    assert found == OTHER_DATABASES


@pytest.mark.parametrize("path", sorted(OTHER_DATABASES))
def test_what_asks_other_databases_names_no_table_of_the_lineage(path):
    tables = re.findall(
        r"^CREATE TABLE (\w+)", (shipped("sql") / "schema.sql").read_text(encoding="utf-8"), re.MULTILINE
    )
    tree = ast.parse((LINEAGE.parents[1] / path).read_text(encoding="utf-8"))
    texts = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    statements = " ".join(text for text in texts if STATEMENT.match(text))
    assert len(tables) > 30
    assert not set(tables) & set(re.findall(r"\w+", statements))


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
