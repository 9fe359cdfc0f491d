"""Where tests lie: `tests/unit` mirrors the package, and what tests share lies in no test."""

import ast

import pytest

from tests.covered import MEASURED
from tests.pages import ROOT

UNIT = ROOT / "tests" / "unit"
FILES = sorted(path for folder in ("tests", "teacher/tests", "benchmarks") for path in (ROOT / folder).rglob("*.py"))
OF_THE_WHOLE = {
    "benchmarks", "dependencies", "deploy", "docs", "first_job", "ignoring_case", "layout",
    "linear_patterns", "linear_texts", "monitoring",
    "pins", "orphans", "plain_english", "public_names", "stage_settings", "page_templates",
    "scale_model",
}  # fmt: skip
"""What a test at the top may be about beside a module at the top of the package."""


def imported(path):
    """Modules that a file imports, also those of code in its strings."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            yield from (node.module or "", *(f"{node.module}.{each.name}" for each in node.names))
        elif isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and " import " in node.value:
            yield from node.value.replace(";", " ").split()


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_is_imported_from_a_test_or_a_conftest(path):
    parts = [module.split(".") for module in imported(path) if module.startswith(("tests.", "test_"))]
    assert [part for part in parts if any(each == "conftest" or each.startswith("test_") for each in part[:-1])] == []
    assert [part for part in parts if part[-1] == "conftest" or part[0].startswith("test_")] == []


@pytest.mark.parametrize("folder", sorted({path.parent.relative_to(UNIT) for path in UNIT.rglob("test_*.py")}), ids=str)
def test_a_folder_has_the_name_of_what_it_tests(folder):
    """A package of `gem_tasks`; or `tools`, which is none."""
    assert (ROOT / "gem_tasks" / folder / "__init__.py").exists() or folder.parts[0] == "tools"


def test_a_test_at_the_top_is_about_a_module_at_the_top_or_the_whole():
    modules = {path.stem for path in (ROOT / "gem_tasks").glob("*.py")}
    assert {path.stem.removeprefix("test_") for path in UNIT.glob("test_*.py")} <= modules | OF_THE_WHOLE


def test_no_two_tests_have_one_name_where_folders_are_no_packages():
    """Pytest would import the second as the first."""
    plain = [
        path.name for path in FILES if path.name.startswith("test_") and not (path.parent / "__init__.py").exists()
    ]
    assert sorted({name for name in plain if plain.count(name) > 1}) == []


def test_the_tests_that_are_measured_exist():
    assert [place for place in MEASURED if not (ROOT / place).exists()] == []
