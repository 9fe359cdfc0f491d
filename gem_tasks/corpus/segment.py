"""Segments a document along its structure: headings, then blocks, list items, lines, sentences, words.

Segments are consecutive, do not overlap, and cover everything but white space; `text[start:end]` is the segment.

- A section (a heading and what is below it, up to the next heading) stays whole if it fits the maximum, because a
  procedure cut in two teaches half of it. Small sections are packed together up to the target.
- A larger section is packed from its blocks. A heading stays with what follows it, and so does the paragraph that leads
  in to a list; a list or a paragraph is only cut when it exceeds the maximum.
"""

import re
from collections.abc import Iterator
from math import ceil
from typing import NamedTuple

from gem_tasks.corpus.markdown.blocks import Block, Kind, blocks
from gem_tasks.domain.corpus import Document, Segment, segment_id

SEGMENT_VERSION = 3
"""Part of every recipe: raise it whenever the same text would be cut differently."""

_BYTES_PER_TOKEN = 4
_TINY = 8
"""A segment below this fraction of the target may join a neighbour, up to the maximum."""
_ITEM = re.compile(r"^[ ]{0,3}(?:[-*+]|\d{1,3}[.)])[ \t]+", re.MULTILINE)
_SENTENCE_ENDS = ("\n", ". ", "! ", "? ", "。", "！", "？", "; ")


def count_tokens(text: str) -> int:
    """Estimates tokens without a tokenizer: one per four bytes of UTF-8.

    Tokenizers work on bytes, so one rule fits all scripts: about four letters per token in English, two in Cyrillic or
    Arabic, one and a third in Chinese, Japanese and Korean.
    """
    return ceil(_weight(text) / _BYTES_PER_TOKEN)


def _weight(text: str) -> int:
    """Bytes, which add up over concatenation; tokens do not."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


class _Span(NamedTuple):
    start: int
    end: int
    weight: int

    def join(self, following: "_Span") -> "_Span":
        return _Span(self.start, following.end, self.weight + following.weight)


def segment(text: str, document: Document, target_tokens: int, max_tokens: int) -> list[Segment]:
    """The segments of a document, in order.

    Args:
        text: the normalised text that `document` describes.
        document: has the ids and the fields that are copied onto every segment.
        target_tokens: pieces are joined up to about this size.
        max_tokens: no segment is larger.
    """
    most = max_tokens * _BYTES_PER_TOKEN
    packer = _Packer(min(target_tokens * _BYTES_PER_TOKEN, most), most)
    for section in _sections(_Cutter(text, packer.target, most)):
        packer.add_section(section)
    return [_segment(text, document, span) for span in packer.close() if text[span.start : span.end].strip()]


def _sections(cutter: "_Cutter") -> Iterator[list[_Span]]:
    """Pieces that fit the maximum, grouped under their headings."""
    section: list[_Span] = []
    for run in _runs(blocks(cutter.text)):
        if run[0].kind is Kind.HEADING and section:
            yield section
            section = []
        section.extend(cutter.pieces(run))
    if section:
        yield section


def _runs(found: Iterator[Block]) -> Iterator[list[Block]]:
    """Blocks that belong together: headings with the block below, a paragraph with the list that it introduces."""
    run: list[Block] = []
    for block in found:
        if run and not _leans(run[-1], block):
            yield run
            run = []
        run.append(block)
    if run:
        yield run


def _leans(block: Block, following: Block) -> bool:
    if block.kind is Kind.HEADING:
        return True
    return block.kind is Kind.PARAGRAPH and following.kind is Kind.LIST


class _Cutter:
    """Cuts runs into pieces: whole if they fit the maximum, otherwise cut inside the last, large block."""

    def __init__(self, text: str, target: int, most: int) -> None:
        self.text = text
        self._target = target
        self._most = most

    def pieces(self, run: list[Block]) -> Iterator[_Span]:
        """Spans that cover the run; none exceeds the maximum."""
        whole = self._span(run[0].start, run[-1].end)
        if whole.weight <= self._most:
            yield whole
            return
        *before, last = run
        lead = self._span(run[0].start, last.start)
        rest = self._span(last.start, last.end)
        if rest.weight <= self._most and before[-1].kind is Kind.PARAGRAPH:
            # Keeping a list in one piece matters more than keeping its introduction beside it.
            yield from self.pieces(before)
            yield rest
            return
        if lead.weight > self._most // 2:  # headings that fill half a prompt
            for block in run:
                yield from self._cut(block, self._most)
            return
        first, *others = self._cut(last, self._most - lead.weight)
        yield lead.join(first)
        yield from others

    def _cut(self, block: Block, most: int) -> Iterator[_Span]:
        ends = [block.end]
        if block.kind is Kind.LIST:
            ends = [match.start() for match in _ITEM.finditer(self.text, block.start + 1, block.end)] + ends
        start = block.start
        for end in ends:
            item = self._span(start, end)
            yield from [item] if item.weight <= most else self._windows(item, min(self._target, most))
            start = end

    def _windows(self, span: _Span, size: int) -> Iterator[_Span]:
        """Pieces of about `size`, cut after a line, otherwise a sentence, a word, or anywhere."""
        start = span.start
        while start < span.end:
            end = min(self._reach(start, size), span.end)
            if end < span.end:
                end = self._break(start, end)
            yield self._span(start, end)
            start = end

    def _reach(self, start: int, size: int) -> int:
        """How far `size` bytes reach from here, in whole characters and at least one."""
        part = self.text[start : start + size]
        if part.isascii():
            return start + max(1, len(part))
        fitting = part.encode("utf-8", "surrogatepass")[:size].decode("utf-8", "ignore")
        return start + max(1, len(fitting))

    def _break(self, start: int, end: int) -> int:
        """The best position to cut in the second half."""
        middle = start + (end - start) // 2
        for mark in _SENTENCE_ENDS:
            if (found := self.text.rfind(mark, middle, end)) >= 0:
                return found + len(mark)
        space = self.text.rfind(" ", middle, end)
        return space + 1 if space >= 0 else end

    def _span(self, start: int, end: int) -> _Span:
        return _Span(start, end, _weight(self.text[start:end]))


class _Packer:
    """Joins neighbours up to the target."""

    def __init__(self, target: int, most: int) -> None:
        self.target = target
        self._most = most
        self._done: list[_Span] = []

    def add_section(self, pieces: list[_Span]) -> None:
        """Adds a section as a whole if it fits the maximum, otherwise its pieces as separate segments."""
        first, *others = pieces
        weight = sum(piece.weight for piece in pieces)
        if weight <= self._most:
            self._add(_Span(first.start, pieces[-1].end, weight), self.target)
            return
        self._add(first, 0)
        for piece in others:
            self._add(piece, self.target)

    def close(self) -> list[_Span]:
        """All segments."""
        self._merge_tiny()
        return self._done

    def _add(self, piece: _Span, room: int) -> None:
        if self._done:
            last = self._done[-1]
            if last.weight + piece.weight <= (self._most if self._tiny(last) else room):
                self._done[-1] = last.join(piece)
                return
        self._merge_tiny()
        self._done.append(piece)

    def _merge_tiny(self) -> None:
        """Merges a segment that is too small into the one before, if there is room."""
        if len(self._done) > 1 and self._tiny(self._done[-1]):
            before, last = self._done[-2:]
            if before.weight + last.weight <= self._most:
                self._done[-2:] = [before.join(last)]

    def _tiny(self, span: _Span) -> bool:
        return span.weight < self.target // _TINY


def _segment(text: str, document: Document, span: _Span) -> Segment:
    body = text[span.start : span.end]
    start = span.start + len(body) - len(body.lstrip())
    body = body.strip()
    return Segment(
        segment_id=segment_id(document.document_id, start, start + len(body)),
        document_id=document.document_id,
        document_uri=document.uri,
        title=document.title,
        license=document.license,
        language=document.language,
        start=start,
        end=start + len(body),
        tokens=count_tokens(body),
        text=body,
    )
