"""Every package that the code imports is declared: one that only another package needs may disappear with it."""

import re
import sys
import tomllib
from importlib.metadata import packages_distributions

from tests.pages import ROOT

OURS = {"gem_tasks", "gem_airflow", "gem_console", "offline_teacher", "tools"}
AS_DECLARED = {"airflow": "apache-airflow", "psycopg_pool": "psycopg"}
"""Imports from a part of a declared distribution: a namespace, an extra."""
NOT_RUN = {"mypy_boto3_s3", "datasets"}
"""Imported by type checkers only, and in the example of a card."""
IMPORT = re.compile(r"^\s*(?:from ([\w.]+) import |import ([\w.]+)(?: as \w+)?$)", re.MULTILINE)
WHERE = {
    "gem_tasks": ("production",), "dags": (), "plugins": (), "sql": (), "teacher/offline_teacher": (),
    "tools": ("dev",),
}  # fmt: skip
"""Folders, and what may be missing on a machine that has only GEM's own dependencies."""


def named(requirement):
    return re.sub(r"[-_.]+", "-", re.match(r"[\w.-]+", requirement)[0]).casefold()


def imported(code):
    """Top-level names."""
    return {(match[1] or match[2]).partition(".")[0] for match in IMPORT.finditer(code)}


def test_every_import_is_a_declared_dependency():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    groups = {**project["project"]["optional-dependencies"], **project["dependency-groups"]}
    provided = packages_distributions()
    undeclared = {}
    for folder, extra in WHERE.items():
        wanted = project["project"]["dependencies"] + [each for group in extra for each in groups[group]]
        declared = {named(each) for each in wanted}
        for path in (ROOT / folder).rglob("*.py"):
            for module in imported(path.read_text("utf-8")) - OURS - NOT_RUN - sys.stdlib_module_names:
                of = [AS_DECLARED[module]] if module in AS_DECLARED else provided.get(module, [module])
                if not declared & {named(each) for each in of}:
                    undeclared.setdefault(module, set()).add(str(path.relative_to(ROOT)))
    assert undeclared == {}
