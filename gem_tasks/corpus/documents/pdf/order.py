"""The order in which a page is read: columns from left to right, each from top to bottom."""

from collections.abc import Sequence
from typing import NamedTuple

from gem_tasks.corpus.documents.pdf.lines import Line, rows

Column = list[list[Line]]
"""Rows of a column; a row of several lines is one of a table without rules."""
_FEWEST = 4
"""Lines in each column."""
_MOST_CROSSING = 0.4
_GUTTER = 0.7
"""Least width between columns, in heights of a line."""
_FILLED = 0.55
"""Lines of a text column fill this share of its width; cells of a table do not."""
_DEEPEST = 4
_SPARSE = 40
"""Lines in each column of a page that may follow the other pages."""
_SENTENCE = 18
"""Characters of a line of text; cells of a table have fewer."""


Gutter = tuple[float, float]
"""`(end of the left column, begin of the right one)`."""


def common_gutter(pages: Sequence[Sequence[Line]]) -> Gutter | None:
    """The gutter of most pages, for those with too little text to have one."""
    found = [gutter for page in pages if (gutter := _gutter(page))]
    if 2 * len(found) < len(pages) or not found:
        return None
    return sorted(found)[len(found) // 2]


def columns(found: Sequence[Line], usual: Gutter | None = None, depth: int = 0) -> list[Column]:
    """The columns of a page in the order of reading, and what stands across them in its place.

    Args:
        found: lines of the page.
        usual: gutter of other pages.
        depth: how many gutters are around.
    """
    gutter = _gutter(found) if depth < _DEEPEST else None
    if gutter is None and usual and len(found) < 2 * _SPARSE and _divides(usual, found):
        gutter = usual
    if gutter is None:
        return [rows(found)] if found else []
    left_of, right_of = gutter
    across = sorted(
        (line for line in found if line.left < left_of and line.right > right_of), key=lambda line: line.top
    )
    rest = [line for line in found if not (line.left < left_of and line.right > right_of)]
    ordered: list[Column] = []
    for line in [*across, None]:
        above = [each for each in rest if line is None or each.middle < line.middle]
        rest = [each for each in rest if line is not None and each.middle >= line.middle]
        for part in (
            [each for each in above if each.right <= right_of],
            [each for each in above if each.right > right_of],
        ):
            ordered += columns(part, depth=depth + 1)
        if line is not None:
            if ordered and ordered[-1] and ordered[-1][-1][0] in across:
                ordered[-1].append([line])
            else:
                ordered.append([[line]])
    return ordered


def _divides(gutter: Gutter, found: Sequence[Line]) -> bool:
    """Whether the lines keep to their side of it, all but those across the page, and there are some on both."""
    middle = (gutter[0] + gutter[1]) / 2
    left = sum(line.right <= middle for line in found)
    right = sum(line.left >= middle for line in found)
    return min(left, right) > 0 and len(found) - left - right <= _MOST_CROSSING * len(found)


def _gutter(found: Sequence[Line]) -> Gutter | None:
    """The strip that the fewest lines cross."""
    if len(found) < 2 * _FEWEST:
        return None
    strips = [_strip(found, start - 1) for start in sorted({round(line.left) for line in found})[1:]]
    best = min((strip for strip in strips if strip), default=None)
    return (best.begin, best.end) if best else None


class _Strip(NamedTuple):
    """A candidate; the best one sorts first."""

    crossed: int
    narrowness: float
    begin: float
    end: float


def _strip(found: Sequence[Line], right_of: float) -> _Strip | None:
    right = [line for line in found if line.left >= right_of]
    left = [line for line in found if line.right <= right_of]
    crossing = len(found) - len(right) - len(left)
    if len(right) < _FEWEST or len(left) < _FEWEST or crossing > _MOST_CROSSING * len(found):
        return None
    left_of = max(line.right for line in left)
    begin = min(line.left for line in right)
    height = sorted(line.height for line in found)[len(found) // 2]
    if begin - left_of < _GUTTER * height or not (_is_text(left) and _is_text(right)):
        return None
    overlap = min(max(line.bottom for line in left), max(line.bottom for line in right)) - max(
        min(line.top for line in left), min(line.top for line in right)
    )
    return _Strip(crossing, left_of - begin, left_of, begin) if overlap > 0 else None


def _is_text(column: list[Line]) -> bool:
    """Whether its lines fill its width, as those of a table's column do not."""
    width = max(line.right for line in column) - min(line.left for line in column)
    items = sum(line.is_item for line in column)
    full = [line for line in column if line.table or line.right - line.left > _FILLED * width]
    words = sorted(len(line.text) for line in full if not line.table)
    return len(full) + items >= 0.5 * len(column) and (not words or words[len(words) // 2] > _SENTENCE)
