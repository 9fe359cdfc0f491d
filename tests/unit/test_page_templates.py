"""Templates are held to the standard of the Python: short lines, and what is drawn is computed in Python."""

from pathlib import Path

import pytest
from jinja2 import Environment

TEMPLATES = sorted((Path(__file__).parents[2] / "plugins" / "gem_console" / "templates").glob("*.html"))
LONGEST = 120


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_lines_are_short_and_nothing_is_collected_in_a_namespace(path):
    text = path.read_text(encoding="utf-8")
    assert [line for line in text.splitlines() if len(line) > LONGEST] == []
    assert "namespace(" not in text


def test_there_are_templates():
    assert {"overview.html", "macros.html"} <= {path.name for path in TEMPLATES}


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_heads_of_tables_are_made_by_one_macro(path):
    assert path.read_text(encoding="utf-8").count("<thead") == (path.name == "macros.html")


def test_the_head_of_a_table_marks_numbers_drawings_and_what_is_not_shown():
    text = (TEMPLATES[0].parent / "macros.html").read_text(encoding="utf-8").partition("{% macro time")[0]
    head = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string(text).module.head
    made = head(["stage", "#cost", "~(share)", "a < b"], {"cost": "in $"}, hidden=True)
    assert "".join(line.strip() for line in made.splitlines()) == (
        '<thead class="hidden"><tr><th>stage</th><th class="n" title="in $">cost</th>'
        '<th class="wide"><span class="hidden">share</span></th><th>a &lt; b</th></tr></thead>'
    )
