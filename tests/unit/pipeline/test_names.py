"""Modules of the pipeline that docstrings, comments and docs name are there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PIPELINE = ROOT / "gem_tasks" / "pipeline"
NAMED = re.compile(r"`(?:gem_tasks[./])?pipeline([./][a-z_]+(?:[./][a-z_]+)*?)(?:\.py)?(?:\.[A-Z]\w*)?`")
FILES = [
    path
    for folder, kind in (("gem_tasks", "*.py"), ("dags", "*.py"), ("plugins", "*.py"), ("docs", "*.md"))
    for path in sorted((ROOT / folder).rglob(kind))
]


@pytest.mark.parametrize(
    "path",
    [path for path in FILES if NAMED.search(path.read_text("utf-8"))],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_every_module_that_is_named_is_there(path):
    named = {name.strip("./").replace(".", "/") for name in NAMED.findall(path.read_text("utf-8"))}
    assert [name for name in named if not any((PIPELINE / found).exists() for found in (f"{name}.py", name))] == []
