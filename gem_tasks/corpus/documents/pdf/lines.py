"""Words to lines: what stands side by side without a gap, in the order of the file, which is right for every script."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gem_tasks.corpus.documents.pdf.words import Rule, Word

BULLETS = "•◦▪‣●○■□▸▹►➢➤❖✓✔∙·⁃–—−*-\uf0b7\uf0a7\uf0d8\u2219"
_NUMBER = (
    r"(?:\(?\d{1,3}[.)]|\(\d{1,3}\)|\d{1,3}(?:\.\d{1,3}){1,5}[.)]?|\(?[a-zA-Z][.)]|\(?[ivxIVX]{1,6}[.)]|[①-⑳]"
    r"|(?:Step|STEP|Schritt|Étape|Paso|Passo|Stap|Шаг) ?\d{1,3}[.:)]?|第[0-9一二三四五六七八九十]{1,3}[步章节]"
    r"|[0-9一二三四五六七八九十]{1,3}、)"
)
_LABEL = re.compile(rf"(?:[{re.escape(BULLETS)}]|{_NUMBER}|\d{{1,3}})")
"""A line that is only this belongs to the text on its right."""
_ITEM = re.compile(rf"(?:[{re.escape(BULLETS)}]|{_NUMBER})[ ]|[①-⑳]|[0-9一二三四五六七八九十]{{1,3}}、")
_GAP = 1.0
"""Most space between words, in heights of the line; columns are further apart."""
_LABEL_GAP = 6.0
_TIGHT = 0.06
_LEADERS = re.compile(r"(?:[ ]?[.·_]){6,}[ ]?")
"""Dots of a table of contents."""
_CJK = re.compile("[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef]")


@dataclass(slots=True)
class Line:
    """A line, a cell of a table without rules, or a whole ruled table."""

    text: str
    left: float
    right: float
    top: float
    bottom: float
    height: float
    """Of most of its characters."""
    bold: bool
    mono: bool
    table: list[list[str]] | None = None
    first: float = 0
    """Where its first word ends, and `rest` where its second begins; 0 if it has no second."""
    rest: float = 0
    hang: float = 0
    """Where the text of an item begins, and its other lines; 0 if unknown."""

    @property
    def middle(self) -> float:
        """Vertical centre."""
        return (self.top + self.bottom) / 2

    @property
    def is_item(self) -> bool:
        """Whether it begins as an item of a list does."""
        return _ITEM.match(self.text) is not None

    def beside(self, other: "Line") -> bool:
        """Whether both are on one line of the page."""
        low, high = sorted((self, other), key=lambda line: line.bottom - line.top)
        return high.top <= low.middle <= high.bottom


def joined(before: str, after: str) -> str:
    """Two pieces of a text with a blank between, which Chinese and Japanese do not have."""
    if not before or not after or (_CJK.match(before[-1]) and _CJK.match(after[0])):
        return before + after
    return f"{before} {after}"


def lines(words: Sequence[Word], rules: Sequence[Rule]) -> list[Line]:
    """The lines and cells, from top to bottom."""
    uprights = [rule for rule in rules if rule.upright]
    found: list[list[Word]] = []
    for word in words:
        if found and _continues(found[-1], word, uprights):
            found[-1].append(word)
        else:
            found.append([word])
    return _merged([_line(each) for each in found], uprights)


def _continues(before: list[Word], word: Word, uprights: Sequence[Rule]) -> bool:
    last = before[-1]
    small, large = sorted((last, word), key=lambda each: each.height)
    if not large.top <= small.middle <= large.bottom:
        return False
    gap = max(word.left - last.right, last.left - word.right)
    return gap < _GAP * large.height and not _divided(last.right, word.left, word.middle, uprights)


def _divided(left: float, right: float, middle: float, uprights: Sequence[Rule]) -> bool:
    return any(left - 1 <= rule.left <= right + 1 and rule.top <= middle <= rule.bottom for rule in uprights)


def _line(words: list[Word]) -> Line:
    text, last = words[0].text, words[0]
    for word in words[1:]:
        gap = max(word.left - last.right, last.left - word.right)
        text = text + word.text if gap < _TIGHT * word.height else joined(text, word.text)
        last = word
    text = _LEADERS.sub(" … ", text)
    heights: Counter[float] = Counter()
    for word in words:
        heights[word.height] += len(word.text)
    return Line(
        text=text,
        left=min(word.left for word in words),
        right=max(word.right for word in words),
        top=min(word.top for word in words),
        bottom=max(word.bottom for word in words),
        height=max(heights, key=lambda height: heights[height]),
        bold=_most(words, [word.bold for word in words]),
        mono=_most(words, [word.mono for word in words]),
        first=words[0].right,
        rest=words[1].left if words[1:] else 0,
    )


def _most(words: list[Word], marks: Iterable[bool]) -> bool:
    marked = sum(len(word.text) for word, mark in zip(words, marks, strict=True) if mark)
    return marked > 0.9 * sum(len(word.text) for word in words)


def rows(found: Iterable[Line]) -> list[list[Line]]:
    """Lines that stand side by side, from left to right; rows from top to bottom."""
    grouped: list[list[Line]] = []
    for line in sorted(found, key=lambda line: line.middle):
        if grouped and line.table is None and _all_beside(grouped[-1], line):
            grouped[-1].append(line)
        else:
            grouped.append([line])
    return [sorted(row, key=lambda line: line.left) for row in grouped]


def _all_beside(row: list[Line], line: Line) -> bool:
    return row[0].table is None and all(other.beside(line) for other in row)


def _merged(found: list[Line], uprights: Sequence[Rule]) -> list[Line]:
    """Joins labels with what they mark, and parts of a line that the file has in different places."""
    merged: list[Line] = []
    for row in rows(found):
        line = row[0]
        for right in row[1:]:
            height = max(line.height, right.height)
            near = _LABEL_GAP if _LABEL.fullmatch(line.text) else _GAP
            if -_GAP * height < right.left - line.right < near * height and not _divided(
                line.right, right.left, right.middle, uprights
            ):
                line = _both(line, right)
            else:
                merged.append(line)
                line = right
        merged.append(line)
    return merged


def _both(line: Line, right: Line) -> Line:
    label = _LABEL.fullmatch(line.text) is not None
    main = right if label or len(right.text) > len(line.text) else line
    gap = right.left - line.right
    return Line(
        text=line.text + right.text if gap < _TIGHT * main.height and not label else joined(line.text, right.text),
        left=line.left,
        right=max(line.right, right.right),
        top=min(line.top, right.top),
        bottom=max(line.bottom, right.bottom),
        height=main.height,
        bold=(line.bold or label) and right.bold,
        mono=(line.mono or label) and right.mono,
        first=line.first,
        rest=line.rest or right.left,
    )
