"""Cuts text at its spans, so that a template can mark them without handling markup."""

from collections.abc import Mapping
from itertools import pairwise
from typing import NamedTuple


class Piece(NamedTuple):
    """A piece of text and the names of the spans that cover it."""

    text: str
    names: tuple[str, ...]


def marked(text: str, spans: Mapping[str, tuple[int, int]]) -> list[Piece]:
    """Cuts the text at `(start, end)` spans, which may overlap. Ignores spans outside the text."""
    known = {name: (start, end) for name, (start, end) in spans.items() if 0 <= start < end <= len(text)}
    cuts = sorted({0, len(text), *(place for span in known.values() for place in span)})
    return [
        Piece(text[start:end], tuple(name for name, (first, last) in known.items() if first <= start and end <= last))
        for start, end in pairwise(cuts)
    ]
