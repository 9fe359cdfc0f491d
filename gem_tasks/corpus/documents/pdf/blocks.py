"""Lines to paragraphs, headings, list items, tables and code, across columns and pages."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from gem_tasks.corpus.documents.pdf.lines import Line, joined
from gem_tasks.corpus.documents.pdf.order import Column
from gem_tasks.corpus.documents.placed import PAGE_BREAK

_LARGER = 1.12
"""A heading's height in relation to that of the text."""
_SAME = 0.12
_EQUAL = 0.03
_LEADING = 0.5
"""More space than usual between two lines, in heights, begins a paragraph."""
_LOOSE, _WIDE = 0.2, 0.6
"""More space than within paragraphs, in heights, parts two headings; not if the first has this share of the width."""
_LONGEST_HEADING = 200
_LONGEST_BOLD = 100
_SHORT_LINE = 0.8
"""Of the column's width: a line that ends before, and not with its words, ends a paragraph."""
_ENDS = (".", "!", "?", ":", ";", "。", "！", "？", "：", "…")
_CHAPTER = re.compile(r"\d{1,3}(?:\.\d{1,3}){1,5}[.)]?\s|\d{1,2}\s")
_WORD_END = re.compile(r"[^\W\d_][-\u00ad]")
_WORD_START = re.compile(r"[^\W\d_]+")


@dataclass(slots=True)
class Block:
    """A part of the text."""

    kind: str
    """`text`, `item`, `heading`, `table` or `code`."""
    text: str = ""
    size: float = 0
    """Height of a heading's lines; 0 for one that is only bold."""
    left: float = 0
    hang: float = 0
    """Where an item's other lines begin; 0 if unknown."""
    column: int = 0
    """Number of its column in the document: positions in different ones cannot be compared."""
    rows: list[list[str]] = field(default_factory=list[list[str]])
    last: Line | None = None
    near: bool = True
    """Whether its last line is in the open column."""


def body_height(lines: Iterator[Line]) -> float:
    """Height of most of the text."""
    sizes: Counter[float] = Counter()
    for line in lines:
        sizes[round(line.height * 2) / 2] += len(line.text)
    return max(sizes, key=lambda size: (sizes[size], size), default=0) or 10.0


class Blocks:
    """Takes the pages' columns in order.

    Args:
        body: height of most lines.
    """

    def __init__(self, body: float) -> None:
        self._body = body
        self.found: list[Block] = []
        self._columns = 0
        self._wrapped = 0.0  # space between lines of one paragraph, in heights
        self._break = ""
        """The mark of a page break that the next line stands behind."""

    def page(self, columns: Sequence[Column]) -> None:
        """Adds a page."""
        self._break += PAGE_BREAK
        for column in columns:
            if self.found:
                self.found[-1].near = False
            self._column(column)

    def rest(self) -> str:
        """Marks of pages without text at the end."""
        return self._break

    def _column(self, column: Column) -> None:
        self._columns += 1
        lines = [line for row in column for line in row]
        left, right = min(line.left for line in lines), max(line.right for line in lines)
        usual = _usual_gap(column)
        self._wrapped = _usual_gap(column, wrapped=True) / self._body
        tabular = _tabular(column)
        for at, row in enumerate(column):
            if row[0].table is not None:
                self._table(row[0].table)
            elif at in tabular:
                self._row(row, column[at - 1] if at and at - 1 in tabular else None)
            else:
                for line in row:
                    self._line(line, left, right, usual)

    def _table(self, rows: list[list[str]]) -> None:
        """A ruled table, or the rest of one that began on the page before, whose header may be repeated."""
        last = self.found[-1] if self.found else None
        if last is None or last.kind != "table" or last.near or len(last.rows[0]) != len(rows[0]):
            self._add(Block("table", rows=rows))
            return
        last.rows += rows[1:] if rows[0] == last.rows[0] else rows
        last.near = True

    def _row(self, row: list[Line], above: list[Line] | None) -> None:
        """A row of a table without rules."""
        if above is None or self.found[-1].kind != "table":
            self._add(Block("table"))
        table = self.found[-1]
        table.rows.append([_unbroken(line.text) for line in row])

    def _line(self, line: Line, left: float, right: float, usual: float) -> None:
        last = self.found[-1] if self.found else None
        if line.mono and not line.is_item:
            if last and last.kind == "code" and last.last:
                self._code(last, line)
            else:
                self._add(Block("code", line.text, left=line.left, last=line))
            return
        size = self._heading(line)
        if size == 0 and last and self._is_within(last, line, usual):
            size = None
        item = line.is_item
        if size is not None:
            if (
                last
                and last.kind == "heading"
                and last.near
                and _one_heading(last, line, self._wrapped, right - left)
                and not item
            ):
                self._extend(last, line)
            else:
                self._add(Block("heading", line.text, size=size, left=line.left, last=line))
        elif item and not self._is_wrapped(last, line):
            self._add(Block("item", line.text, left=line.left, hang=line.hang, last=line))
        elif last and last.kind in ("text", "item") and last.last and self._continues(last, line, left, right, usual):
            self._extend(last, line)
        else:
            self._add(Block("text", line.text, left=line.left, last=line))

    def _heading(self, line: Line) -> float | None:
        """Its height if the line is a heading; 0 if it is only bold."""
        if line.height > _LARGER * self._body and len(line.text) < _LONGEST_HEADING:
            return None if line.text.endswith(",") else line.height
        numbered = line.is_item and not _CHAPTER.match(line.text)
        if line.bold and len(line.text) < _LONGEST_BOLD and not numbered and line.height > (1 - _SAME) * self._body:
            return None if line.text.endswith((".", ",", ";", ":")) else 0
        return None

    @staticmethod
    def _is_within(last: Block, line: Line, usual: float) -> bool:
        """Whether a bold line stands in the middle of a sentence."""
        before = last.last
        if before is None or last.kind not in ("text", "item") or not last.near or last.text.endswith(_ENDS):
            return False
        return line.top - before.bottom <= usual + _LEADING * line.height and not before.beside(line)

    @staticmethod
    def _is_wrapped(last: Block | None, line: Line) -> bool:
        """Whether a line that begins like an item is the rest of a sentence: `… a gap of` / `1.5 mm`."""
        dotted = re.match(r"\d+\.\d+\s+[^\W\d_]", line.text)
        unit = dotted is not None and line.text[dotted.end() - 1].islower()
        return bool(unit and last and last.kind in ("text", "item") and not last.text.endswith(_ENDS))

    def _continues(self, block: Block, line: Line, left: float, right: float, usual: float) -> bool:
        before = block.last
        if before is None or not _alike(before, line):
            return False
        ended = block.text.rstrip(PAGE_BREAK).endswith(_ENDS)
        if before.bold != line.bold and ended:
            return False
        if not block.near:
            hanging = block.kind == "item" and not ended
            return not ended and (line.text[:1].islower() or block.text.endswith((",", "\u00ad", "-")) or hanging)
        if line.top - before.bottom > usual + _LEADING * line.height:
            return False
        if block.kind == "item" and line.left < max(block.left - line.height, block.hang - _LEADING * line.height):
            return False
        short = before.right - left < _SHORT_LINE * (right - left)
        opens = line.text[:1].isupper() or line.text[:1].isdigit()
        if short and opens and (ended or block.kind == "text"):
            return False
        indented = block.kind == "text" and line.left > before.left + line.height
        return not (indented and ended)

    def _extend(self, block: Block, line: Line) -> None:
        block.text = _hyphenated(block.text, self._break, line.text)
        self._break = ""
        block.last, block.near = line, True

    def _code(self, block: Block, line: Line) -> None:
        wide = max((line.right - line.left) / max(len(line.text), 1), 1.0)
        before = block.last
        new_line = before is None or not before.beside(line) or not block.near
        indent = " " * min(max(round((line.left - block.left) / wide), 0), 40) if new_line else " "
        block.text += ("\n" if new_line else "") + self._break + indent + line.text
        self._break, block.last, block.near = "", line, True

    def _add(self, block: Block) -> None:
        block.text = self._break + _unbroken(block.text) if block.kind != "table" else self._break
        self._break, block.column = "", self._columns
        self.found.append(block)


def _one_heading(block: Block, line: Line, wrapped: float, width: float) -> bool:
    before = block.last
    if before is None or abs(before.height - line.height) > _EQUAL * line.height or before.bold != line.bold:
        return False
    loose = _LEADING if before.right - before.left > _WIDE * width else _LOOSE
    return line.top - before.bottom < (max(wrapped, 0) + loose) * line.height and not _CHAPTER.match(line.text)


def _alike(line: Line, other: Line) -> bool:
    return abs(line.height - other.height) <= _SAME * max(line.height, other.height)


def _unbroken(text: str) -> str:
    """Without marks of hyphens, except at the end, where the next line decides."""
    return text[:-1].replace("\u00ad", "-") + text[-1:]


def _hyphenated(before: str, mark: str, after: str) -> str:
    """Joins two lines; a word that was split by a hyphen becomes one."""
    start = _WORD_START.match(after)
    if _WORD_END.fullmatch(before[-2:]) and start and start[0][0].islower():
        # Kept for `settled`, which knows the words of the whole document.
        return before[:-1] + "\u00ad" + mark + _unbroken(after)
    before = before[:-1] + "-" if before.endswith("\u00ad") else before
    return joined(before, mark + _unbroken(after)) if not mark else f"{before} {mark}{_unbroken(after)}"


def _usual_gap(column: Column, *, wrapped: bool = False) -> float:
    """Space between most lines of a column, or between most of those whose sentence runs on."""
    gaps = Counter(
        round(below[0].top - above[0].bottom)
        for above, below in pairwise(column)
        if above[0].table is None
        and below[0].table is None
        and below[0].top - above[0].bottom < below[0].height * 2
        and (not wrapped or below[0].text[:1].islower())
    )
    return max(gaps, key=lambda gap: (gaps[gap], -gap), default=0)


def _tabular(column: Column) -> set[int]:
    """Rows of tables without rules: at least two in a row with several cells, one below the other."""
    found: set[int] = set()
    for at, (above, below) in enumerate(pairwise(column)):
        if len(above) > 1 and len(below) > 1 and _aligned(above, below):
            found |= {at, at + 1}
    return found


def _aligned(above: list[Line], below: list[Line]) -> bool:
    """Whether the cells of the shorter row stand below or above cells of the other, one for each."""
    short, long = sorted((above, below), key=len)
    used: set[int] = set()
    for cell in short:
        fit = [at for at, other in enumerate(long) if cell.left <= other.right and other.left <= cell.right]
        used |= set(fit[:1])
    return len(used) == len(short)


def settled(text: str, words: set[str]) -> str:
    """The text with its split words joined.

    Args:
        text: `\u00ad` stands where a line ended with a hyphen.
        words: all words of the document, in lower case, to tell `re-` `set` from `well-` `known`.
    """
    before, *others = text.split("\u00ad")
    parts = [before]
    for after in others:
        first, second = _letters(before[::-1])[::-1], _letters(after.lstrip(PAGE_BREAK))
        compound = f"{first}-{second}".lower() in words and (first + second).lower() not in words
        parts += ["-" if compound else "", after]
        before = after
    return "".join(parts)


def _letters(text: str) -> str:
    """Those that it begins with."""
    start = _WORD_START.match(text)
    return start[0] if start else ""


def levels(found: Sequence[Block]) -> dict[float, int]:
    """Level of a heading by its height: the largest is 1; bold ones come below all."""
    sizes = sorted(
        {round(block.size * 2) / 2 for block in found if block.kind == "heading" and block.size}, reverse=True
    )
    return {size: min(rank, 5) for rank, size in enumerate(sizes, start=1)} | {0: min(len(sizes) + 1, 6)}
