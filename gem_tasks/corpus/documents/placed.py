"""The Markdown of a converted document while it grows: blocks, and the page on which each begins.

Blocks are cleaned here, one by one, so that positions in the result are those of the normalised text.
"""

import re
from collections import deque

from gem_tasks.corpus.text.clean import clean
from gem_tasks.domain.corpus import IngestReason, Places

PAGE_BREAK = "\x02"
"""In a block's text: the next of the announced pages begins here."""


_PREFIX = re.compile(r"(?:#{1,6}|\S{1,9}) ?")
"""The mark of a heading or an item, which is on the page of its text."""


class ConversionError(Exception):
    """The file has no usable text.

    Attributes:
        reason: why.
    """

    def __init__(self, reason: IngestReason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


class PlacedText:
    """Collects blocks.

    Args:
        unit: what the file consists of: `page`, `slide`, `sheet`, `chapter`.
        limit: most characters.
    """

    def __init__(self, unit: str, limit: int) -> None:
        self._unit, self._limit = unit, limit
        self._parts: list[str] = []
        self._length = 0
        self._marks: list[tuple[int, str]] = []
        self._waiting: str | None = None
        self._announced: deque[str] = deque()
        self._near = False

    def place(self, label: str) -> None:
        """Begins a page; one without text leaves no mark."""
        self._waiting = label

    def announce(self, label: str) -> str:
        """The mark for the text of a block within which a page begins."""
        self._announced.append(label)
        return PAGE_BREAK

    def block(self, text: str, indent: int = 0) -> None:
        """Adds a paragraph, heading, table or block of code."""
        self._add(text, indent, near=False)

    def item(self, text: str, indent: int = 0) -> None:
        """Adds a list item, directly below the previous one."""
        self._add(text, indent, near=self._near)
        self._near = True

    def heading(self, text: str, level: int) -> None:
        """Adds a heading of a level from 1."""
        if words := " ".join(text.split()):
            self.block(f"{'#' * min(max(level, 1), 6)} {words}")

    def rows(self, rows: list[list[str]]) -> None:
        """Adds a table; its first row is the header. A table of one column becomes paragraphs."""
        rows = [[" ".join(cell.split()) for cell in row] for row in rows]
        rows = [row for row in rows if any(row)]
        width = max(map(len, rows), default=0)
        if width < 2:
            for row in rows:
                self.block(row[0])
            return
        lines = ["| " + " | ".join(cell.replace("|", "\\|") for cell in _wide(row, width)) + " |" for row in rows]
        self.block("\n".join([lines[0], "|" + "---|" * width, *lines[1:]]))

    def result(self) -> tuple[str, Places | None]:
        """The text, and where its parts come from."""
        text = clean("".join(self._parts))
        marks = tuple((min(at, len(text)), label) for at, label in self._marks)
        return text, Places(unit=self._unit, marks=marks) if marks else None

    def _add(self, text: str, indent: int, *, near: bool) -> None:
        self._near = False
        pieces = text.split(PAGE_BREAK)
        text = clean("".join(pieces))
        if text and self._parts:
            self._put("\n" if near else "\n\n")
        self._mark(pieces)
        if indent and self._parts:
            text = " " * indent + text.replace("\n", "\n" + " " * indent)
        if text:
            self._put(text)

    def _mark(self, pieces: list[str]) -> None:
        """Notes where in the next block pages begin; one that begins after it waits for the following block."""
        before = ""
        for number, piece in enumerate(pieces):
            if number:
                self._waiting = self._announced.popleft() if self._announced else self._waiting
            if self._waiting is not None and piece.strip():
                at = 0 if _PREFIX.fullmatch(before) else len(clean(before))
                self._marks.append((self._length + at, self._waiting))
                self._waiting = None
            before += piece

    def _put(self, text: str) -> None:
        self._parts.append(text)
        self._length += len(text)
        if self._length > self._limit:
            raise ConversionError(IngestReason.TOO_LARGE, f"its text has more than {self._limit} characters")


def _wide(row: list[str], width: int) -> list[str]:
    return [*row, *[""] * (width - len(row))]
