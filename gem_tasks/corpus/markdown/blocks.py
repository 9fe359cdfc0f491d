"""The blocks of Markdown-like text: headings, lists, fenced code, paragraphs. One pass over the lines."""

import re
from collections.abc import Iterator
from enum import Enum, auto
from typing import NamedTuple

from gem_tasks.corpus.markdown.fences import FENCES, Fence

_LINE = re.compile(r"\n|[^\n]++\n?+")
_HEADING = re.compile(r"#{1,6}[ \t]")
_ITEM = re.compile(r"[ \t]*(?:[-*+]|\d{1,3}[.)])[ \t]+\S")
_UNDERLINE = re.compile(r"(?:={3,}|-{3,})\s*")


class Kind(Enum):
    """Kinds of blocks."""

    HEADING = auto()
    LIST = auto()
    """Including nested lists and everything indented below an item."""
    CODE = auto()
    PARAGRAPH = auto()
    """Also a table."""


class Block(NamedTuple):
    """A span of the text. Empty lines after a block belong to it, so that blocks cover the text."""

    kind: Kind
    start: int
    end: int


def blocks(text: str) -> Iterator[Block]:
    """Yields the blocks in order, without gaps."""
    scanner = _Scanner()
    for match in _LINE.finditer(text):
        if block := scanner.line(match[0], match.start()):
            yield block
    if block := scanner.close(len(text)):
        yield block


class _Scanner:
    """The open block, and the kind of the last lines."""

    def __init__(self) -> None:
        self._kind: Kind | None = None
        self._start = 0
        self._lines = 0
        self._after_blank = False
        self._fence: Fence | None = None

    def line(self, line: str, at: int) -> Block | None:
        """Reads the next line; returns the block that it ends, if any."""
        if self._fence:
            if self._fence.ended_by(line):
                self._fence = None
            return None
        words = line.strip()
        if not words:
            self._after_blank = True
            return None
        if self._is_underline(line):
            self._kind = Kind.HEADING
            return None
        kind = self._kind_of(line, words)
        closed = None
        if kind is not None:
            closed, self._kind, self._start, self._lines = self.close(at), kind, self._first(at), 0
        self._lines += 1
        self._after_blank = False
        return closed

    def close(self, at: int) -> Block | None:
        """Ends the open block here and returns it."""
        return Block(self._kind, self._start, at) if self._kind else None

    def _first(self, at: int) -> int:
        """Empty lines before the first block belong to it."""
        return at if self._kind else 0

    def _is_underline(self, line: str) -> bool:
        single = self._kind is Kind.PARAGRAPH and self._lines == 1 and not self._after_blank
        return single and bool(_UNDERLINE.fullmatch(line))

    def _kind_of(self, line: str, words: str) -> Kind | None:
        """The kind of block that a line begins; None if it continues the open one."""
        in_list = self._kind is Kind.LIST
        inside = in_list and (line[0] in " \t" or not self._after_blank)
        if words.startswith(FENCES) and (fence := Fence.opened_by(line)):
            self._fence = fence
            return None if inside else Kind.CODE
        if _HEADING.match(line):
            return Kind.HEADING
        if _ITEM.match(line):
            return None if in_list else Kind.LIST
        if inside or (self._kind is Kind.PARAGRAPH and not self._after_blank):
            return None
        return Kind.PARAGRAPH
