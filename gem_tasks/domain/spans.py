"""Finds text between two marks in linear time: `<a>.*?</a>` searches for the end from every beginning."""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple


class Span(NamedTuple):
    """A match of two marks and the text between them."""

    start: int
    end: int
    inner: str


def between(text: str, opening: re.Pattern[str], closing: re.Pattern[str]) -> Iterator[Span]:
    """Every span from an opening to the next closing mark, in order; unclosed marks yield none."""
    position = 0
    while (begin := opening.search(text, position)) and (end := closing.search(text, begin.end())):
        yield Span(begin.start(), end.end(), text[begin.end() : end.start()])
        position = end.end()


def without(text: str, spans: Iterable[Span]) -> str:
    """The text without the spans."""
    parts: list[str] = []
    position = 0
    for span in spans:
        parts.append(text[position : span.start])
        position = span.end
    return "".join([*parts, text[position:]])
