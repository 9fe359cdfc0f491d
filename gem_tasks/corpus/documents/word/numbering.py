"""The labels that Word computes for numbered paragraphs: definitions of `numbering.xml`, and counters."""

import re
from dataclasses import dataclass
from typing import Any

from gem_tasks.corpus.documents.numerals import numeral

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_PLACEHOLDER = re.compile(r"%([1-9])")
_LEVELS = 9
_BULLET = "-"


@dataclass(frozen=True, slots=True)
class _Level:
    start: int
    form: str
    text: str
    legal: bool
    """Whether numbers of all levels are written as digits."""


@dataclass(frozen=True, slots=True)
class _Numbering:
    abstract: str
    levels: dict[int, _Level]
    restarts: dict[int, int]
    """Level to its first number, for a list that does not continue the one before."""


def value(parent: Any, name: str) -> str | None:
    """`w:val` of a child element; None without the child."""
    child = None if parent is None else parent.find(W + name)
    return None if child is None else child.get(W + "val", "")


def whole(text: str | None, otherwise: int) -> int:
    """A number of up to nine digits from an attribute."""
    return int(text) if text and re.fullmatch(r"-?[0-9]{1,9}", text) else otherwise


class Numbering:
    """Counts the numbered paragraphs of a document, in order.

    Args:
        root: root of `numbering.xml`, or None.
        of_style: numbering id of a style, which some definitions refer to.
    """

    def __init__(self, root: Any | None, of_style: dict[str, str]) -> None:
        found = [] if root is None else list(root.iter(W + "abstractNum"))
        abstracts = {each.get(W + "abstractNumId"): each for each in found}
        numbers = {} if root is None else {each.get(W + "numId"): each for each in root.iter(W + "num")}
        links = {key: value(each, "abstractNumId") for key, each in numbers.items()}
        self._known: dict[str, _Numbering] = {}
        for key, number in numbers.items():
            abstract = links[key]
            style = value(abstracts.get(abstract), "numStyleLink")
            if style:
                abstract = links.get(of_style.get(style), abstract)
            self._known[key] = _definition(number, abstract or "", abstracts.get(abstract))
        self._counts: dict[str, list[int | None]] = {}
        self._begun: set[tuple[str, int]] = set()

    def label(self, number: str, level: int) -> str | None:
        """The next label of a list, such as `3.` or `b)`; `-` for a bullet, None if the list does not exist."""
        known = self._known.get(number)
        if known is None or not 0 <= level < _LEVELS:
            return None
        counts = self._counts.setdefault(known.abstract, [None] * _LEVELS)
        self._advance(known, number, level, counts)
        mine = known.levels.get(level)
        if mine is None:
            return f"{counts[level]}."
        if mine.form == "bullet":
            return _BULLET
        return _PLACEHOLDER.sub(lambda match: self._part(known, int(match[1]) - 1, counts, mine), mine.text).strip()

    @staticmethod
    def _part(known: _Numbering, level: int, counts: list[int | None], asked: _Level) -> str:
        there = known.levels.get(level)
        number = counts[level]
        if number is None:  # an upper level without a paragraph counts as begun
            number = there.start if there else 1
        form = there.form if there else "decimal"
        return numeral(number, "decimal" if asked.legal and form != "decimalZero" else form)

    def _advance(self, known: _Numbering, number: str, level: int, counts: list[int | None]) -> None:
        start = known.levels[level].start if level in known.levels else 1
        if level in known.restarts and (number, level) not in self._begun:
            counts[level] = known.restarts[level]
        else:
            before = counts[level]
            counts[level] = start if before is None else before + 1
        self._begun.add((number, level))
        counts[level + 1 :] = [None] * (_LEVELS - level - 1)


def _definition(number: Any, abstract: str, described: Any | None) -> _Numbering:
    levels = {} if described is None else dict(map(_level, described.findall(W + "lvl")))
    restarts: dict[int, int] = {}
    for each in number.findall(W + "lvlOverride"):
        at = whole(each.get(W + "ilvl"), 0)
        levels |= dict(map(_level, each.findall(W + "lvl")))
        if (start := value(each, "startOverride")) is not None:
            restarts[at] = whole(start, 1)
    return _Numbering(abstract, levels, restarts)


def _level(element: Any) -> tuple[int, _Level]:
    return whole(element.get(W + "ilvl"), 0), _Level(
        start=whole(value(element, "start"), 1),
        form=value(element, "numFmt") or "decimal",
        text=value(element, "lvlText") or "",
        legal=element.find(W + "isLgl") is not None,
    )
