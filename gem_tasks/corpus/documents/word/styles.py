"""Paragraph styles of a DOCX: which are headings, which are numbered."""

import re
from typing import Any, NamedTuple

from gem_tasks.corpus.documents.word.numbering import W, value, whole

_HEADING = re.compile(r"heading ([1-9])", re.IGNORECASE)
_MOST_ANCESTORS = 20
_BODY_LEVEL = 9


class Style(NamedTuple):
    """What matters of a paragraph's style; None: not set."""

    heading: int | None = None
    """Level from 1."""
    number: str | None = None
    level: int | None = None

    def over(self, below: "Style") -> "Style":
        """This style, and what only the one below it sets."""
        return Style(
            below.heading if self.heading is None else self.heading,
            below.number if self.number is None else self.number,
            below.level if self.level is None else self.level,
        )


class Styles:
    """The styles of `styles.xml`, with what they inherit."""

    def __init__(self, root: Any | None) -> None:
        found = [] if root is None else list(root.iter(W + "style"))
        self._elements = {each.get(W + "styleId", ""): each for each in found}
        self._known: dict[str, Style] = {}

    def of(self, name: str | None) -> Style:
        """The style of this id."""
        if not name:
            return Style()
        if name not in self._known:
            self._known[name] = self._read(name)
        return self._known[name]

    def numbers(self) -> dict[str, str]:
        """Numbering id by style id."""
        return {name: style.number for name in self._elements if (style := self.of(name)).number}

    def _read(self, name: str) -> Style:
        style, at = Style(), name
        for _ in range(_MOST_ANCESTORS):
            element = self._elements.get(at)
            if element is None:
                break
            style = style.over(_own(element))
            at = value(element, "basedOn") or ""
        return style


def _own(element: Any) -> Style:
    properties = element.find(W + "pPr")
    number, level = numbered(properties)
    heading = outline(properties)
    name = value(element, "name") or ""
    if match := _HEADING.match(name):
        heading = int(match[1])
    elif name.lower() == "title":
        heading = 1
    return Style(heading, number, level)


def outline(properties: Any | None) -> int | None:
    """Level of a heading, from 1, that paragraph properties state; 0 for a paragraph that is none."""
    stated = value(properties, "outlineLvl")
    if stated is None:
        return None
    level = whole(stated, _BODY_LEVEL)
    return level + 1 if 0 <= level < _BODY_LEVEL else 0


def numbered(properties: Any | None) -> tuple[str | None, int | None]:
    """`(numbering id, level)` that paragraph properties state."""
    found = None if properties is None else properties.find(W + "numPr")
    if found is None:
        return None, None
    level = value(found, "ilvl")
    return value(found, "numId"), None if level is None else whole(level, 0)
