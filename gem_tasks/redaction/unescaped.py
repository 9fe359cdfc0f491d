"""Escapes undone, a layer at a time: percent, JSON, Python, HTML, quoted-printable. With places in the original."""

import html
import re
from collections.abc import Iterator
from typing import NamedTuple

LAYERS = 2
"""A key in a query, in JSON: escapes of escapes; what is escaped three times is not undone."""
_ESCAPE = re.compile(
    r"%[0-9A-Fa-f]{2}|\\u\{[0-9A-Fa-f]{1,6}\}|\\u[0-9A-Fa-f]{4}|\\x[0-9A-Fa-f]{2}|\\[0-7]{3}|\\[bfnrtv]"
    r"|&#?[0-9A-Za-z]{1,9};|=[0-9A-F]{2}|=\r?\n"
)
_FIRST = tuple(re.compile(start) for start in (r"%[0-9A-Fa-f]", r"\\[ux0-7bfnrtv]", r"&[#0-9A-Za-z]", r"=[0-9A-F\r\n]"))
"""The same much faster: each begins with one character, and most texts have none of it."""


class Piece(NamedTuple):
    """A character, and what of the original text it stands for."""

    text: str
    start: int
    end: int


def unescaped(text: str) -> str:
    """One layer undone."""
    if not any(first.search(text) for first in _FIRST):
        return text
    return _ESCAPE.sub(lambda match: _meaning(match[0]), text)


def pieces(text: str) -> list[Piece]:
    """The characters of a text."""
    return [Piece(character, place, place + 1) for place, character in enumerate(text)]


def unescaped_pieces(found: list[Piece]) -> list[Piece]:
    """One layer undone in pieces."""
    return list(_undone(found, "".join(piece.text for piece in found)))


def _undone(found: list[Piece], text: str) -> Iterator[Piece]:
    place = 0
    for match in _ESCAPE.finditer(text):
        yield from found[place : match.start()]
        start, end = found[match.start()].start, found[match.end() - 1].end
        yield from (Piece(character, start, end) for character in _meaning(match[0]))
        place = match.end()
    yield from found[place:]


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
            return chr(int(escape[1:], 16))
        case "\\", "u" | "x":
            return chr(int(escape[2:].strip("{}"), 16))
        case "\\", "b" | "f" | "n" | "r" | "t" | "v":
            return " "
        case _:
            return chr(int(escape[1:], 8))
