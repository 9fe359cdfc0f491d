"""The card's plots: what is drawn, and that no name breaks the picture."""

from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from gem_tasks.dataset import plots

SVG = "{http://www.w3.org/2000/svg}"


def drawn(picture):
    root = ElementTree.fromstring(picture)
    texts = [text.text for text in root.iter(f"{SVG}text")]
    return texts, [float(box.get("width")) for box in root.iter(f"{SVG}rect")][1:], root


def test_bars_are_in_proportion_and_labelled():
    texts, widths, _ = drawn(plots.bars("Tools", {"search": 40, "book": 10}))
    assert texts == ["Tools", "search", "40", "book", "10"]
    assert round(widths[0] / widths[1]) == 4


def test_only_the_most_frequent_names_are_drawn_and_the_title_says_so():
    texts, widths, _ = drawn(plots.bars("Tools", {f"t{n}": 100 - n for n in range(40)}))
    assert len(widths) == 15
    assert texts[0] == "Tools, 25 more not shown"


def test_columns_stand_beside_each_other():
    texts, _, root = drawn(plots.columns("Length", ["0-9", "10-19"], {"before": [3, 0], "after": [1, 2]}))
    assert {"0-9", "10-19", "before", "after", "3", "2"} <= set(texts)
    heights = [float(box.get("height")) for box in root.iter(f"{SVG}rect")][1:]
    assert round(heights[1] / heights[4], 1) == 3.0


@given(st.dictionaries(st.text(max_size=60), st.integers(0, 10**9), max_size=30))
def test_any_name_gives_a_picture_without_markup_of_its_own(found):
    _, _, root = drawn(plots.bars("Names", found))
    assert {node.tag for node in root.iter()} <= {SVG + tag for tag in ("svg", "title", "rect", "text")}


def test_nothing_to_draw_is_an_empty_picture():
    assert drawn(plots.bars("Names", {}))[0] == ["Names"]
    assert "Length" in drawn(plots.columns("Length", [], {"before": [], "after": []}))[0]
