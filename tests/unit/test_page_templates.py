"""Templates are held to the standard of the Python: short lines, and what is drawn is computed in Python."""

from pathlib import Path

import pytest

TEMPLATES = sorted((Path(__file__).parents[2] / "plugins" / "gem_console" / "templates").glob("*.html"))
LONGEST = 120


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_lines_are_short_and_nothing_is_collected_in_a_namespace(path):
    text = path.read_text(encoding="utf-8")
    assert [line for line in text.splitlines() if len(line) > LONGEST] == []
    assert "namespace(" not in text


def test_there_are_templates():
    assert {"overview.html", "macros.html"} <= {path.name for path in TEMPLATES}
