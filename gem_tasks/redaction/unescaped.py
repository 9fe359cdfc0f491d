"""Escapes undone, a layer at a time: percent, JSON, Python, HTML, quoted-printable. With places in the original.

Letters of other alphabets that look like ASCII (full width, mathematical, circled, tags) count as escapes too, short
HTML tags and colours of a terminal as escapes of nothing.
"""

import html
import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import NamedTuple

LAYERS = 2
"""A key in a query, in JSON: escapes of escapes; what is escaped three times is not undone."""
_TAGS = 0xE0000
_ESCAPES = (
    r"%[0-9A-Fa-f]{2}|%u[0-9A-Fa-f]{4}|\\[ux]\{[0-9A-Fa-f]{1,6}\}|\\u[0-9A-Fa-f]{4}|\\U[0-9A-Fa-f]{8}"
    r"|\\[xX][0-9A-Fa-f]{2}|\\[0-7]{3}|\\[bfnrtv]"
    r"|&#?[0-9A-Za-z]{1,9};|=[0-9A-F]{2}|=\r?\n"
    r"|</?[A-Za-z]{1,6} ?/?>|\x1b\[[0-9;]{0,20}[A-Za-z]|\x1b\][^\x07\x1b]{0,40}(?:\x07|\x1b\\)"
)
_ESCAPE = re.compile(_ESCAPES)
_LOOKALIKE = re.compile(
    "[\uff10-\uff19\uff21-\uff3a\uff41-\uff5a\u24b6-\u24e9\U0001d400-\U0001d7ff\U000e0030-\U000e007a]"
)
_ANY = re.compile(f"{_ESCAPES}|{_LOOKALIKE.pattern}")
"""Both, which takes twice as long; few texts have letters of such alphabets."""
_LOOKALIKE_BYTES = (b"\xef\xbc", b"\xef\xbd", b"\xe2\x92", b"\xe2\x93", b"\xf0\x9d", b"\xf3\xa0")
"""With which such letters begin in UTF-8: to look for these is ten times faster."""
_FIRST = tuple(
    re.compile(start)
    for start in (
        r"%[0-9A-Fa-fu]", r"\\[uUxX0-7bfnrtv]", r"&[#0-9A-Za-z]", r"=[0-9A-F\r\n]", r"</?[A-Za-z]{1,6} ?/?>",
        r"\x1b[\[\]]",
    )
)  # fmt: skip
"""A fast pre-check: each escape begins with one of these characters, which most texts lack."""


class Layer(NamedTuple):
    """A text, with the start and end of each character in the original."""

    text: str
    starts: Sequence[int]
    ends: Sequence[int]


def unescaped(text: str) -> str:
    """The text with one layer of escapes undone."""
    escape = _escape_in(text)
    if escape is _ESCAPE and not any(first.search(text) for first in _FIRST):
        return text
    return escape.sub(lambda match: _meaning(match[0]), text)


def _escape_in(text: str) -> re.Pattern[str]:
    if text.isascii():
        return _ESCAPE
    data = text.encode("utf-8", "surrogatepass")
    return _ANY if any(start in data for start in _LOOKALIKE_BYTES) and _LOOKALIKE.search(text) else _ESCAPE


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
    for match in _escape_in(layer.text).finditer(layer.text):
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
    if len(escape) == 1:
        code = ord(escape)
        return chr(code - _TAGS) if code > _TAGS else unicodedata.normalize("NFKC", escape)
    match escape[0], escape[1]:
        case (("<" | "\x1b"), _):
            return ""
        case "&", _:
            return html.unescape(escape)
        case "=", "\r" | "\n":
            return ""
        case "%" | "=", _:
            return chr(int(escape[1:].lstrip("u"), 16))
        case "\\", "u" | "U" | "x" | "X":
            return chr(int(escape[2:].strip("{}"), 16))
        case "\\", "b" | "f" | "n" | "r" | "t" | "v":
            return " "
        case _:
            return chr(int(escape[1:], 8))
