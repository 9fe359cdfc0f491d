"""Where a text says what a quotation claims. Blanks, case and marks of markup do not count."""

import re
from typing import NamedTuple

_ELISION = re.compile(r"…|\.\.\.|\[…\]")
_LEAST = 3
"""Letters and digits that a part of a quotation needs: less is found anywhere."""


class _Letter(NamedTuple):
    at: int
    text: str


class Quotes:
    """Finds quotations in one text by their letters and digits only."""

    def __init__(self, text: str) -> None:
        self._letters = _letters(text)
        self._plain = "".join(letter.text for letter in self._letters)

    def span(self, quote: str) -> tuple[int, int] | None:
        """Start and end in characters of the text; of a quotation with an ellipsis, from its first part to its last.

        None: the text does not contain it.
        """
        parts = [part for part in map(_plain, _ELISION.split(quote)) if part]
        if not parts or max(map(len, parts)) < _LEAST:
            return None
        start = position = self._plain.find(parts[0])
        for part in parts:
            found = self._plain.find(part, max(position, 0))
            if found < 0:
                return None
            position = found + len(part)
        return self._letters[start].at, self._letters[position - 1].at + 1


def _letters(text: str) -> list[_Letter]:
    """One character of lower-case text each; `ß` and ligatures keep their place."""
    return [_Letter(at, lower) for at, char in enumerate(text) if char.isalnum() for lower in char.casefold() if lower]


def _plain(text: str) -> str:
    return "".join(letter.text for letter in _letters(text))
