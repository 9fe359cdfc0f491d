"""Running headers and footers: lines at the edges of pages that come back on others."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from gem_tasks.corpus.documents.pdf.lines import Line, rows

_EDGE = 0.13
"""Share of the page's height in which headers and footers stand."""
_FEWEST = 3
_SHARE = 0.02
"""Of the pages; every chapter may have its own."""
_LINES = 4
_GAP = 0.6
"""Space between a header and the text, in heights of a line."""
_DIGITS = re.compile(r"\d+")
_NUMBER = re.compile(
    r"[-–—\s|]*+(?:(?:page|seite|página|pagina|стр\.?|p\.)?\s*+\d{1,5}(?:\s*+(?:/|of|von|de|di|sur|из)\s*+\d{1,5})?|[ivxlc]{1,7})"
    r"[-–—\s|.]*+|第?\s*+\d{1,5}\s*+[页頁ページ]*+",
    re.IGNORECASE,
)
Key = tuple[str, int]


def keys(found: Sequence[Line], height: float) -> set[Key]:
    """What the outer lines of a page have in common with those of others: words without numbers, and the place."""
    return {_key(line, height) for line in _edges(found, height)}


def common(pages: Iterable[set[Key]], count: int) -> set[Key]:
    """Those that come back on enough of the pages."""
    seen = Counter(key for page in pages for key in page)
    return {key for key, times in seen.items() if times >= max(min(_FEWEST, count), _SHARE * count) and times > 1}


def without(found: Sequence[Line], height: float, again: set[Key], several: bool) -> list[Line]:
    """The lines without headers, footers and page numbers.

    Args:
        found: lines of a page.
        height: of the page.
        again: what comes back on other pages.
        several: whether the file has several pages, so that they may have numbers.
    """
    left_out = {
        id(line)
        for line in _edges(found, height)
        if (several and _NUMBER.fullmatch(line.text)) or (_key(line, height) in again and not _is_step(line))
    }
    return [line for line in found if id(line) not in left_out]


def _is_step(line: Line) -> bool:
    return line.is_item and len(line.text.split()) > 2


def _edges(found: Sequence[Line], height: float) -> list[Line]:
    """The outermost lines that stand apart from the text."""
    ordered = rows(found)
    top = [row for row in ordered if row[0].table is None and row[0].bottom < _EDGE * height]
    bottom = [row for row in ordered[::-1] if row[0].table is None and row[0].top > (1 - _EDGE) * height]
    return [line for edge in (_apart(top, ordered), _apart(bottom, ordered[::-1])) for row in edge for line in row]


def _apart(edge: list[list[Line]], ordered: list[list[Line]]) -> list[list[Line]]:
    """The rows up to the first gap, if there is one."""
    for at, row in enumerate(edge[:_LINES]):
        following = ordered[at + 1] if at + 1 < len(ordered) else None
        if following is None or _gap(row, following) > _GAP * row[0].height:
            return edge[: at + 1]
    return []


def _gap(row: list[Line], other: list[Line]) -> float:
    return max(other[0].top - row[0].bottom, row[0].top - other[0].bottom)


def _key(line: Line, height: float) -> Key:
    return _DIGITS.sub("#", line.text), round(line.middle / height * 50)
