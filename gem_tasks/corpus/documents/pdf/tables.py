"""Tables with ruled lines: the grid of the lines, and the text in its cells."""

from bisect import bisect_right
from collections.abc import Sequence
from typing import NamedTuple

from gem_tasks.corpus.documents.pdf.lines import Line, joined, lines, rows
from gem_tasks.corpus.documents.pdf.words import Rule, Word

_MOST_RULES = 600
"""A page with more is a drawing."""
_TOUCH = 3.0
_UPRIGHT, _ACROSS = 3, 2
"""Fewest lines in each direction: two columns and one row, the last of a table that began on the page before."""


class Grid(NamedTuple):
    """A ruled table: where its columns and rows begin and end."""

    columns: list[float]
    rows: list[float]
    rules: list[Rule]

    def holds(self, word: Word) -> bool:
        """Whether the word is in the table."""
        x = (word.left + word.right) / 2
        return self.columns[0] <= x <= self.columns[-1] and self.rows[0] <= word.middle <= self.rows[-1]


def grids(rules: Sequence[Rule]) -> list[Grid]:
    """The tables of a page."""
    if len(rules) > _MOST_RULES:
        return []
    found: list[Grid] = []
    for group in _groups(list(rules)):
        columns = _distinct([rule.left for rule in group if rule.upright])
        across = _distinct([rule.top for rule in group if not rule.upright])
        if len(columns) >= _UPRIGHT and len(across) >= _ACROSS:
            found.append(Grid(columns, across, group))
    return found


def _groups(rules: list[Rule]) -> list[list[Rule]]:
    """Lines that touch, directly or through others."""
    groups: list[list[Rule]] = []
    while rules:
        group: list[Rule] = []
        waiting = [rules.pop()]
        while waiting:
            rule = waiting.pop()
            group.append(rule)
            touching = [other for other in rules if _touch(rule, other)]
            if touching:
                rules = [other for other in rules if not _touch(rule, other)]
                waiting += touching
        groups.append(group)
    return groups


def _touch(rule: Rule, other: Rule) -> bool:
    return (
        rule.left - _TOUCH <= other.right
        and other.left - _TOUCH <= rule.right
        and rule.top - _TOUCH <= other.bottom
        and other.top - _TOUCH <= rule.bottom
    )


def _distinct(places: list[float]) -> list[float]:
    kept: list[float] = []
    for place in sorted(places):
        if not kept or place - kept[-1] > 2 * _TOUCH:
            kept.append(place)
    return kept


def table(grid: Grid, words: Sequence[Word]) -> Line | None:
    """The table as one line of the page; None if fewer than two of its cells have text."""
    cells = [["" for _ in grid.columns[1:]] for _ in grid.rows[1:]]
    for row in rows(lines(words, grid.rules)):
        for line in row:
            down = _index(grid.rows, line.middle)
            across = _index(grid.columns, line.left + 1)
            cells[down][across] = joined(cells[down][across], line.text.replace("\u00ad", "-"))
    if sum(bool(cell) for row in cells for cell in row) < 2:
        return None
    left, right, top, bottom = grid.columns[0], grid.columns[-1], grid.rows[0], grid.rows[-1]
    return Line("", left, right, top, bottom, 0, bold=False, mono=False, table=cells)


def _index(places: list[float], at: float) -> int:
    return min(max(bisect_right(places, at) - 1, 0), len(places) - 2)
