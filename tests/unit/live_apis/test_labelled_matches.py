"""The matcher on labelled pairs of others' tools and public APIs: the documented figures are today's."""

import re
from pathlib import Path

import pytest

from benchmarks.live_apis.matches import matched, scores

PAGE = Path(__file__).parents[3] / "docs" / "live-apis.md"


@pytest.fixture(scope="module")
def pairs():
    return matched()


@pytest.mark.parametrize(
    ("row", "part"),
    [
        ("half used for choices", lambda pair: not pair.measured),
        ("other half", lambda pair: pair.measured),
        ("tools made for these APIs", lambda pair: pair.own),
    ],
)
def test_the_documented_figures_are_measured(pairs, row, part):
    found = scores(filter(part, pairs))
    line = re.search(rf"^\| now, {row} \|.*$", PAGE.read_text(encoding="utf-8"), re.M)[0]
    figures = [cell.strip() for cell in line.split("|")[2:-1]]
    wrong = found.chosen - found.right - found.partly
    assert figures == [
        str(found.pairs),
        f"{found.right / found.chosen:.2f}",
        f"{(found.right + found.partly) / found.chosen:.2f}",
        f"{found.right / found.wanted:.2f}",
        str(wrong),
    ]


def test_every_label_names_an_operation_and_both_halves_are_large(pairs):
    assert len(pairs) == 174
    assert min(sum(pair.measured for pair in pairs), sum(not pair.measured for pair in pairs)) > 80
    assert sum(not pair.yes and not pair.partly for pair in pairs) > 30, "pairs that must stay unmapped"
