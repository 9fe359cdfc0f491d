"""Undoes escapes, one layer at a time: percent, JSON, Python, HTML, quoted-printable. Keeps original positions."""

import html
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

LAYERS = 2
"""Maximum layers of escapes to undo: a key in a query in JSON has two."""
_ESCAPE = re.compile(
    r"%[0-9A-Fa-f]{2}|%u[0-9A-Fa-f]{4}|\\u\{[0-9A-Fa-f]{1,6}\}|\\u[0-9A-Fa-f]{4}|\\U[0-9A-Fa-f]{8}"
    r"|\\x[0-9A-Fa-f]{2}|\\[0-7]{3}|\\[bfnrtv]"
    r"|&#?[0-9A-Za-z]{1,9};|=[0-9A-F]{2}|=\r?\n"
)
_FIRST = tuple(
    re.compile(start) for start in (r"%[0-9A-Fa-fu]", r"\\[uUx0-7bfnrtv]", r"&[#0-9A-Za-z]", r"=[0-9A-F\r\n]")
)
"""A fast pre-check: each escape begins with one of these characters, which most texts lack."""


class Layer(NamedTuple):
    """A text, with the start and end of each character in the original."""

    text: str
    starts: Sequence[int]
    ends: Sequence[int]


def unescaped(text: str) -> str:
    """The text with one layer of escapes undone."""
    if not any(first.search(text) for first in _FIRST):
        return text
    return _ESCAPE.sub(lambda match: _meaning(match[0]), text)


def layers(text: str) -> Iterator[Layer]:
    """The original, and the text with its escapes undone."""
    found = Layer(text, range(len(text)), range(1, len(text) + 1))
    yield found
    for _ in range(LAYERS):
        below = _below(found)
        if below.text == found.text:
            return
        yield (found := below)


def _below(layer: Layer) -> Layer:
    parts, starts, ends, place = list[str](), list[int](), list[int](), 0
    for match in _ESCAPE.finditer(layer.text):
        meaning, first, last = _meaning(match[0]), match.start(), match.end()
        parts += (layer.text[place:first], meaning)
        starts += [*layer.starts[place:first], *[layer.starts[first]] * len(meaning)]
        ends += [*layer.ends[place:first], *[layer.ends[last - 1]] * len(meaning)]
        place = last
    rest = layer.text[place:]
    return Layer("".join([*parts, rest]), [*starts, *layer.starts[place:]], [*ends, *layer.ends[place:]])


def _meaning(escape: str) -> str:
    try:
        return _character(escape)
    except (ValueError, OverflowError):  # no such character
        return escape


def _character(escape: str) -> str:
    match escape[0], escape[1]:
        case "&", _:
            return html.unescape(escape)
        case "=", "\r" | "\n":
            return ""
        case "%" | "=", _:
            return chr(int(escape[1:].lstrip("u"), 16))
        case "\\", "u" | "U" | "x":
            return chr(int(escape[2:].strip("{}"), 16))
        case "\\", "b" | "f" | "n" | "r" | "t" | "v":
            return " "
        case _:
            return chr(int(escape[1:], 8))
