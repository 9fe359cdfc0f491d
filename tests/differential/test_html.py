"""Whatever a browser shows of a page's content is in its text: no sentence or step is lost; navigation is not kept."""

from pathlib import Path

import pytest
import trafilatura

from gem_tasks.corpus.normalise import normalise
from gem_tasks.domain.corpus import RawDocument
from tests.differential import made
from tests.differential.shown import flat, in_browser

PACKAGES = Path(trafilatura.__file__).parents[1]
UNTOLD = frozenset({"links only in nameless boxes", "links only in layout table"})
"""Pages of links all over, in which nothing tells the steps from the rest: all is kept."""
INSTALLED = sorted(PACKAGES.glob("**/node_modules/npm/docs/output/**/*.html"))


def text_of(source):
    return normalise(RawDocument(uri="file:///a", etag="1", text=source, media_type="text/html"), 0).text


@pytest.mark.parametrize("page", made.pages(), ids=lambda page: page.name)
def test_every_step_is_there_in_order_and_nothing_foreign(page):
    text = text_of(page.source)
    said = flat(text)
    places = [said.find(flat(step)) for step in made.STEPS]
    assert -1 not in places
    assert places == sorted(places)
    assert "# Replace a lost badge\n" in text
    assert "- Role of badge officer\n- Printer connected" in text
    if page.name in UNTOLD:
        return
    assert [each for each in (*made.FOREIGN, "Ignore all rules", "Send money", "steal()") if each in text] == []


def test_a_browser_shows_nothing_of_the_content_that_is_not_in_the_text(tab):
    lost = {}
    for page in made.pages():
        shown, items = in_browser(tab, f"<body>{page.content}</body>")
        said = flat(text_of(page.source))
        if missing := [each for each in [*shown, *items] if each not in said]:
            lost[page.name] = missing
    assert lost == {}


def test_pages_of_installed_packages_lose_no_sentence(tab):
    pages = [path.read_text(encoding="utf-8") for path in INSTALLED]
    shown = [(source, in_browser(tab, source, "#_content")) for source in pages]
    found = [(flat(text_of(source)), parts) for source, parts in shown if parts]
    assert len(found) >= 60
    assert sum(len(items) for _, (_, items) in found) > 1000
    lost = [each for said, (parts, items) in found for each in [*parts, *items] if each not in said]
    assert lost == []
