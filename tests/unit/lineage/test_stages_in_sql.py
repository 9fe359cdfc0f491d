"""A view takes no parameters, so SQL names some stages: only those that there are, and those that accept, together."""

import re

import pytest

from gem_tasks.domain.stage import ACCEPTING, EVERY_STAGE
from gem_tasks.resources import shipped

FILES = sorted(path for folder in ("queries", "views") for path in (shipped("sql") / folder).glob("*.sql"))
LISTS = re.compile(r"\bstage\s+(?:NOT\s+)?IN\s*\(([^)]*)\)", re.IGNORECASE)
SINGLE = re.compile(r"(?:\bstage\s*(?:=|<>|!=)|\brecipes\s*->>)\s*'(\w+)'", re.IGNORECASE)


def literals(text):
    return re.findall(r"'(\w+)'", text)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_stages_in_sql_are_those_of_the_registry(path):
    text = path.read_text(encoding="utf-8")
    named = [tuple(literals(found)) for found in LISTS.findall(text)]
    assert [found for found in named if found not in {(), ACCEPTING}] == []
    assert set(SINGLE.findall(text)) <= {"segment", *EVERY_STAGE}, "`segment` is the root of a chain"


def test_the_patterns_find_them():
    text = "WHERE r.stage = 'filter' OR v.recipes ->> 'validate' = x OR a.stage IN ('validate', 'poem')"
    assert SINGLE.findall(text) == ["filter", "validate"]
    assert literals(LISTS.findall(text)[0]) == ["validate", "poem"]
    assert sum(len(LISTS.findall(path.read_text(encoding="utf-8"))) for path in FILES) >= 3
