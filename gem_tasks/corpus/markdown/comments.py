"""Removes HTML comments from Markdown by CommonMark's rules: comments in code, and those that never end, are text.

A comment at the beginning of a line ends at the next `-->`; one within a paragraph has to end in it. Takes linear time.
"""

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator

from gem_tasks.corpus.markdown.fences import Fence

_LINE = re.compile(r"[^\n]*\n|[^\n]+")
_QUOTES = re.compile(r"(?:[ ]{0,3}+>++[ ]?+)+")
_BREAK = re.compile(r"[ \t]{0,3}(?:(?:\*[ \t]*+){3}[* \t]*+|(?:-[ \t]*+){3}[- \t]*+|(?:_[ \t]*+){3}[_ \t]*+)\n?")
_MARKER = re.compile(r"([ \t]*)([-*+]|\d{1,9}[.)])([ \t]+(?=\S)|[ \t]*\n?$)")
_HEADING = re.compile(r"#{1,6}(?:[ \t]|\n?$)")
_INTERRUPTS = re.compile(r"[ \t]*(?:```|~~~|<!--|#)")
"""Ends a paragraph without an empty line, so it never continues the paragraph of a list item."""
_INLINE = re.compile(r"\\[\\`<]|`+|<!--")
_CODE_INDENT = 4


def without_comments(text: str) -> str:
    """The text without comments, otherwise unchanged."""
    if "<!--" not in text:
        return text
    parts: list[str] = []
    position = 0
    for start, end in _Comments(text).spans():
        parts.append(text[position:start])
        position = end
    return "".join([*parts, text[position:]])


class _Comments:
    """Finds comments, line by line."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._last = text.rfind("-->")
        self._columns: list[int] = []
        """Columns where the contents of the open list items begin."""
        self._fence: Fence | None = None
        self._paragraph: tuple[int, int] | None = None
        self._quoted = False
        self._new = False
        """Whether the line began with a list marker."""

    def spans(self) -> Iterator[tuple[int, int]]:
        """Yields `(start, end)` of each comment, in order."""
        position = 0
        while line := _LINE.match(self._text, position):
            position = line.end()
            begin = self._begin_of_text(line[0], line.start())
            if begin is None:
                yield from self._end_paragraph()
            elif self._text.startswith("<!--", begin) and begin <= self._last - 2:
                yield from self._end_paragraph()
                for start, position in self._block(begin):
                    yield start, position
                position = self._next_line(position)
            else:
                heading = _HEADING.match(self._text, begin)
                if heading or self._new:
                    yield from self._end_paragraph()
                self._paragraph = (self._paragraph or (begin, 0))[0], line.end()
                if heading:
                    yield from self._end_paragraph()
        yield from self._end_paragraph()

    def _block(self, begin: int) -> Iterator[tuple[int, int]]:
        """The comment that begins here, and those that begin on the line where it ends, without Markdown in between."""
        while 0 <= begin <= self._last - 2:
            end = self._text.index("-->", begin + 2) + 3
            yield begin, end
            begin = self._text.find("<!--", end, self._next_line(end))

    def _next_line(self, position: int) -> int:
        return self._text.find("\n", position) + 1 or len(self._text)

    def _end_paragraph(self) -> Iterator[tuple[int, int]]:
        if self._paragraph:
            yield from _inline(self._text, *self._paragraph)
        self._paragraph = None

    def _begin_of_text(self, line: str, at: int) -> int | None:
        """Where a line's text begins after quote and list markers; None if it is empty or code."""
        quotes = _QUOTES.match(line)
        inner = line[quotes.end() :] if quotes else line
        if self._fence and not self._quoted:
            quotes, inner = None, line
        if bool(quotes) != self._quoted:
            self._quoted, self._columns, self._fence = bool(quotes), [], None
        begin = at + len(line) - len(inner)
        if not inner.strip():
            return None
        column = _column(inner)
        if self._fence or not self._paragraph or _INTERRUPTS.match(inner) or _BREAK.fullmatch(inner):
            self._leave(column)
        if self._fence:
            if self._fence.ended_by(inner):
                self._fence = None
            return None
        before = begin
        inner, begin, column = self._enter(inner, begin, column)
        self._new = begin > before
        deep = column - (self._columns or [0])[-1] >= _CODE_INDENT
        self._fence = None if deep else Fence.opened_by(inner)
        indented = deep and (self._new or not self._paragraph)
        if self._fence or indented or not inner.strip() or _BREAK.fullmatch(inner):
            return None
        return begin + len(inner) - len(inner.lstrip(" \t"))

    def _leave(self, column: int) -> None:
        """Closes the list items that a line with this indentation no longer belongs to."""
        while self._columns and column < self._columns[-1]:
            self._columns.pop()
            self._fence = None

    def _enter(self, inner: str, begin: int, column: int) -> tuple[str, int, int]:
        """Skips the list markers at the beginning of a line: returns the rest, its position, and its column."""
        while not _BREAK.fullmatch(inner) and (marker := _MARKER.match(inner)):
            while self._columns and column < self._columns[-1]:
                self._columns.pop()
            if column - (self._columns or [0])[-1] >= _CODE_INDENT:
                break
            behind = len(marker[3].expandtabs(4))
            content = column + len(marker[2]) + (behind if behind <= _CODE_INDENT else 1)
            self._columns.append(content)
            begin, inner = begin + marker.end(), inner[marker.end() :]
            column = column + len(marker[2]) + behind
        return inner, begin, column


def _column(line: str) -> int:
    return len(line[: len(line) - len(line.lstrip(" \t"))].expandtabs(4))


def _inline(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Comments within one paragraph, outside its code spans."""
    if text.find("<!--", start, end) < 0:
        return
    ticks: dict[int, list[int]] = defaultdict(list)
    for run in re.compile("`+").finditer(text, start, end):
        ticks[len(run[0])].append(run.start())
    position, closed = start, True
    while found := _INLINE.search(text, position, end):
        position = found.end()
        if found[0][0] == "`":
            same = ticks[len(found[0])]
            following = bisect_right(same, found.start())
            if following < len(same):
                position = same[following] + len(found[0])
        elif found[0] == "<!--" and closed:
            close = text.find("-->", found.start() + 2, end)
            if close < 0:
                closed = False
            else:
                yield found.start(), close + 3
                position = close + 3
