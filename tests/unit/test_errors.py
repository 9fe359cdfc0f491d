"""The drawing of the errors shows every one that there is, below what it is derived from."""

import re

from gem_tasks import errors
from tests.pages import ROOT


def test_the_drawing_shows_every_error():
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "gem_tasks").rglob("*.py")]
    pairs = dict(pair for text in sources for pair in re.findall(r"^class (\w+)\((\w+Error)\):", text, re.M))
    drawn, above = {}, {}
    for indent, name in re.findall(r"^([│├└─ ]*)(\w+Error)", errors.__doc__, re.M):
        above[len(indent)] = name
        if indent:
            drawn[name] = above[len(indent) - 4]
    assert drawn == {name: parent for name, parent in pairs.items() if parent in {"GemError", *drawn}}
    assert {"StoreError", "BudgetSpentError"} <= drawn.keys()
