"""The tests that docs/security.md names for each fault exist."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
NAMED = re.compile(r"`(?:tests/)?((?:unit|integration|dags|console|teacher)/[\w/]+\.py)(?:::(\w+))?`")


def test_every_test_that_the_page_names_exists():
    named = NAMED.findall((ROOT / "docs" / "security.md").read_text(encoding="utf-8"))
    assert len(named) > 45
    for path, name in named:
        text = (ROOT / ("" if path.startswith("teacher/") else "tests") / path).read_text(encoding="utf-8")
        assert not name or re.search(rf"^(async )?def {name}\(", text, re.MULTILINE), f"{path}::{name}"
