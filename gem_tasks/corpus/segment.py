"""Cuts a document where its structure allows: headings, then paragraphs, lines, sentences, words.

Segments follow each other without overlap and cover everything but white space; `text[start:end]` is the segment.
Pieces are packed greedily up to the target size; no segment exceeds the maximum.
"""

import re
from collections.abc import Iterator
from itertools import pairwise
from math import ceil

from gem_tasks.domain.corpus import Document, Segment, segment_id

SEGMENT_VERSION = 1
"""Part of every recipe: raise it when the same text would be cut differently."""

Span = tuple[int, int]

_WIDE = re.compile("[\u1100-\u11ff\u2e80-\ua4cf\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff]")
_CHARS_PER_TOKEN = 4
# From coarse to fine: each splits a piece that is still too large, after the match.
_CUTS = (
    re.compile(r"\n+(?=#{1,6}[ \t]|[^\n]{1,100}\n[=-]{3,}\n)"),  # before a heading
    re.compile(r"\n[ \t]*\n(?![ \t]*(?:\d+[.)]|[-*]|[ \t]))"),  # between paragraphs, but not between list items
    re.compile(r"\n[ \t]*\n"),
    re.compile(r"\n"),
    re.compile(r"(?<=[.!?])[ \t]+|(?<=[。!?])"),
    re.compile(r"[ \t]+"),
)
_LISTS_STAY_WHOLE_FROM = 2
"""From this level on a piece is only cut when it exceeds the maximum, so that lists and paragraphs stay together."""


def count_tokens(text: str) -> int:
    """An estimate without a tokenizer: four characters a token, one for each East Asian character."""
    return ceil(_weight(text) / _CHARS_PER_TOKEN)


def _weight(text: str) -> int:
    """Quarters of a token; adds up over concatenation, which `count_tokens` does not."""
    wide = 0 if text.isascii() else len(_WIDE.findall(text))
    return len(text) + wide * (_CHARS_PER_TOKEN - 1)


def segment(text: str, document: Document, target_tokens: int, max_tokens: int) -> list[Segment]:
    """The segments of a document, in order.

    Args:
        text: the normalised text that `document` describes.
        document: carries the ids and what is copied onto every segment.
        target_tokens: pieces are joined up to about this size.
        max_tokens: no segment is larger.
    """
    most = max_tokens * _CHARS_PER_TOKEN
    target = min(target_tokens * _CHARS_PER_TOKEN, most)
    spans = _pack(text, _pieces(text, (0, len(text)), 0, target, most), target, most)
    return [_segment(text, document, span) for span in spans if text[slice(*span)].strip()]


def _pieces(text: str, span: Span, level: int, target: int, most: int) -> Iterator[Span]:
    """Splits a span at the coarsest cut until its parts are small enough."""
    enough = target if level < _LISTS_STAY_WHOLE_FROM else most
    if _weight(text[slice(*span)]) <= enough:
        yield span
    elif level == len(_CUTS):
        yield from _hard_cuts(span, most)
    else:
        ends = [match.end() for match in _CUTS[level].finditer(text, *span)]
        for start, end in pairwise([span[0], *ends, span[1]]):
            if start < end:
                yield from _pieces(text, (start, end), level + 1, target, most)


def _hard_cuts(span: Span, most: int) -> Iterator[Span]:
    """A run without any white space, in steps that fit the maximum in any script."""
    step = max(1, most // _CHARS_PER_TOKEN)
    for start in range(span[0], span[1], step):
        yield start, min(start + step, span[1])


def _pack(text: str, pieces: Iterator[Span], target: int, most: int) -> Iterator[Span]:
    """Joins neighbours up to the target; a small rest, such as a heading alone, may use the room up to the maximum."""
    current, size = (0, 0), 0
    for piece in pieces:
        added = _weight(text[slice(*piece)])
        room = most if min(size, added) < target // 8 else target
        if size + added <= room:
            current, size = (current[0], piece[1]), size + added
        else:
            yield current
            current, size = piece, added
    yield current


def _segment(text: str, document: Document, span: Span) -> Segment:
    body = text[slice(*span)]
    start = span[0] + len(body) - len(body.lstrip())
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
