"""The docs site: it builds strictly (links, anchors, navigation), and no page asks anything of another host."""

import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOADS = {"script": "src", "img": "src", "iframe": "src", "source": "src", "link": "href", "object": "data"}
"""What a browser fetches by itself, unlike the target of a link."""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "-q", "--strict", "-d", folder],
        cwd=ROOT, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


class Loads(HTMLParser):
    """The addresses that a page makes a browser fetch."""

    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        if tag in LOADS and given.get("rel") not in ("canonical", "next", "prev"):
            self.found.append(given.get(LOADS[tag]) or "")
        self.found.extend(re.findall(r"url\(([^)]*)\)", given.get("style") or ""))


def test_no_page_or_style_loads_from_another_host(site):
    pages = sorted(site.rglob("*.html"))
    assert len(pages) > 40
    for page in pages:
        parser = Loads()
        parser.feed(page.read_text(encoding="utf-8"))
        assert parser.found, page
        assert [address for address in parser.found if re.match(r"(https?:)?//", address)] == [], page
        assert 'class="mermaid"' not in page.read_text(encoding="utf-8"), "the theme would fetch mermaid for it"
    for style in site.rglob("*.css"):
        text = style.read_text(encoding="utf-8")
        assert re.findall(r"(?:url\(|@import\s+)[\"']?(?:https?:)?//[^)\"']*", text) == [], style


def test_the_four_parts_and_the_generated_pages_are_there(site):
    home = (site / "index.html").read_text(encoding="utf-8")
    for part in ("Tutorial", "How-to guides", "Reference", "Explanation"):
        assert re.search(rf">\s*{part}\s*<", home), part
    tables = (site / "reference" / "tables.html").read_text(encoding="utf-8")
    assert 'id="stage_results"' in tables
    assert 'id="funnel"' in tables
    python = (site / "reference" / "python.html").read_text(encoding="utf-8")
    assert "check_rows" in python
    for record in (ROOT / "docs" / "adr").glob("0*.md"):
        assert (site / "adr" / f"{record.stem}.html").exists()
