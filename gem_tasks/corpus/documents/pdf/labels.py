"""Lists whose labels are bare numbers or letters, or stand on separate lines: found by sequence and place."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from gem_tasks.corpus.documents.numerals import numeral
from gem_tasks.corpus.documents.pdf.lines import Line
from gem_tasks.corpus.documents.pdf.order import Column

_BARE = re.compile(r"(?:\d{1,3}|[ivxIVX]{1,6}|[a-zA-Z])(?= |$)")
_ALONE = re.compile(r"((?:Step |STEP )?\(?)(\d{1,3})([.):]?)")
_FIRST = {"a": "lowerLetter", "A": "upperLetter", "i": "lowerRoman", "I": "upperRoman"}
_LARGE = 1.12
_WIDE = 0.35
"""Least space between label and text, in heights; that between words is smaller."""
_WIDEST = 6.0
_NEAR = 1.5
"""Most space, in heights, between a label on a separate line and its text."""
_SAME = 2.0
"""Points by which equal places may differ."""
_FULL = 0.8
_MOST_OPEN = 8


class _Label(NamedTuple):
    text: str
    shape: str
    """What is around the number."""
    column: int
    row: int
    left: float
    right: float
    body: float
    """Where the text begins."""
    alone: bool


@dataclass(slots=True)
class _List:
    form: str
    number: int
    """Of the last label."""
    labels: list[_Label]


def label_lists(columns: Sequence[Column], body: float) -> None:
    """Writes labels of lists with a full stop, as in `1. Open`, and joins them to their text, in place.

    Args:
        columns: of all pages.
        body: height of most lines.
    """
    chosen = [each for each in _lists(columns, body) if _has_neighbours(each) and not _numbers_lines(each, columns)]
    tables = [_is_table(each, columns) for each in chosen]
    pairs = [(label, table) for each, table in zip(chosen, tables, strict=True) for label in each.labels]
    # Backwards, because labels on separate lines leave their rows.
    for label, table in sorted(pairs, key=lambda pair: (pair[0].column, pair[0].row), reverse=True):
        _apply(columns[label.column], label, table)


def _lists(columns: Sequence[Column], body: float) -> list[_List]:
    """Lists, also of a single label."""
    found: list[_List] = []
    open_: list[_List] = []
    for number, column in enumerate(columns):
        for label in _labels(column, number, body):
            at = next((at for at in range(len(open_) - 1, -1, -1) if _follows(open_[at], label)), None)
            if at is not None:
                open_[at].labels.append(label)
                open_[at].number += 1
                del open_[at + 1 :]
                continue
            # Another number at the place of a list's next label ends the list.
            open_ = [each for each in open_ if not _beside(each.labels[-1], label)]
            if form := ("decimal" if label.text.isdecimal() else _FIRST.get(label.text)):
                open_ = [*open_[1 - _MOST_OPEN :], _List(form, int(label.text) if form == "decimal" else 1, [label])]
                found.append(open_[-1])
    return found


def _labels(column: Column, number: int, body: float) -> Iterator[_Label]:
    for at, row in enumerate(column):
        line = row[0]
        if line.table is not None or len(row) > 2 or any(_is_heading(each, body) for each in row[-1:]):
            continue
        if label := _BARE.match(line.text):
            whole = label.end() == len(line.text)
            right = line.right if whole else line.first
            start = (row[1].left if len(row) == 2 else 0) if whole else (line.rest if len(row) == 1 else 0)
            if _WIDE * row[-1].height <= start - right < _WIDEST * row[-1].height:
                yield _Label(label[0], "", number, at, line.left, right, start, alone=False)
        if len(row) == 1 and (label := _ALONE.fullmatch(line.text)) and _stands_above(column, at):
            text = column[at + 1][0]
            yield _Label(label[2], f"{label[1]}#{label[3]}", number, at, line.left, line.right, text.left, alone=True)


def _is_heading(line: Line, body: float) -> bool:
    return line.bold or line.height > _LARGE * body


def _stands_above(column: Column, at: int) -> bool:
    """Whether a text begins on the next line."""
    below = column[at + 1] if at + 1 < len(column) else []
    if len(below) != 1 or below[0].table is not None or below[0].is_item or _ALONE.fullmatch(below[0].text):
        return False
    label, text = column[at][0], below[0]
    return text.left > label.left - _SAME and text.top - label.bottom < _NEAR * text.height


def _follows(each: _List, label: _Label) -> bool:
    last = each.labels[-1]
    if numeral(each.number + 1, each.form) != label.text or (last.shape, last.alone) != (label.shape, label.alone):
        return False
    return _beside(last, label)


def _beside(last: _Label, label: _Label) -> bool:
    """Whether both stand at one place of the line; in different columns, only distances can be compared."""
    moved = last.body - label.body if last.column != label.column else 0
    if abs(last.body - label.body - moved) > _SAME:
        return False
    return min(abs(last.left - label.left - moved), abs(last.right - label.right - moved)) <= _SAME


def _has_neighbours(each: _List) -> bool:
    """Whether a column has two of the labels: one in each is a page's number."""
    return len({label.column for label in each.labels}) < len(each.labels)


def _numbers_lines(each: _List, columns: Sequence[Column]) -> bool:
    """Whether the labels number the lines of a text whose sentences run on from one to the next."""
    run_on = 0
    for label in each.labels[1:]:
        column = columns[label.column]
        above, line = column[label.row - 1][-1] if label.row else None, column[label.row][-1]
        right = max(other.right for row in column for other in row)
        full = above is not None and above.right - label.body > _FULL * (right - label.body)
        run_on += full and _text(line, label)[:1].islower()
    return 2 * run_on >= len(each.labels) - 1


def _is_table(each: _List, columns: Sequence[Column]) -> bool:
    """Whether the rows stand close below a header with a cell over the labels and one over the texts."""
    first, last = each.labels[0], each.labels[-1]
    column = columns[first.column]
    header = column[first.row - 1] if first.row else []
    if first.alone or len(header) != 2 or last.column != first.column:
        return False
    over = header[0].left <= first.right and first.left <= header[0].right and header[1].left <= first.body + _SAME
    return over and first.body <= header[1].right and last.row - first.row == len(each.labels) - 1


def _apply(column: Column, label: _Label, table: bool) -> None:
    row = column[label.row]
    line = row[0]
    text = column[label.row + 1][0] if label.alone else row[-1]
    rest = _text(text, label)
    if table:
        column[label.row] = [
            replace(line, text=label.text, right=label.right),
            replace(text, text=rest, left=label.body),
        ]
        return
    shape = label.shape if label.shape not in ("", "#") else "#."
    written = f"{shape.replace('#', label.text)} {rest}"
    hang = 0 if label.alone else label.body
    column[label.row] = [replace(text, text=written, left=line.left, top=min(line.top, text.top), hang=hang)]
    if label.alone:
        del column[label.row + 1]


def _text(line: Line, label: _Label) -> str:
    """The line's text without the label."""
    start = 0 if label.alone or line.left >= label.body - _SAME else len(label.text)
    return line.text[start:].lstrip()
