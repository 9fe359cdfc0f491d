"""The card's tables hold whatever documents call themselves."""

from hypothesis import given
from hypothesis import strategies as st

from gem_tasks.dataset.card import _bars, cell


@given(st.text(max_size=100))
def test_no_name_leaves_itscell(name):
    table = _bars("source", {name: 3, f"{name}b": 1}, 4)
    assert len(table.splitlines()) == 4
    assert all(line.count("|") == 5 for line in table.splitlines())
    assert "<" not in cell(name)


def test_markup_is_inert():
    assert cell("![x](http://evil) <script>`a`") == r"\!\[x\](http://evil) &lt;script>\`a\`"


def test_what_acts_is_shown():
    assert cell("\x1b]0;t\x07\u202e") == r"\\x1b\]0;t\\x07\\u202e"
