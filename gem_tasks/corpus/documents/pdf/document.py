"""Reads a PDF, page by page."""

import re
from collections.abc import Iterable, Iterator
from typing import IO, Any, NamedTuple

from gem_tasks.corpus.documents.pdf import furniture, tables
from gem_tasks.corpus.documents.pdf.blocks import Block, Blocks, body_height, levels, settled
from gem_tasks.corpus.documents.pdf.labels import label_lists
from gem_tasks.corpus.documents.pdf.lines import BULLETS, Line, lines
from gem_tasks.corpus.documents.pdf.order import columns, common_gutter
from gem_tasks.corpus.documents.pdf.words import PageContent, pdfium, read_words
from gem_tasks.corpus.documents.placed import PAGE_BREAK, ConversionError, PlacedText
from gem_tasks.domain.corpus import IngestReason

MOST_PAGES = 3000
_MOST_UNMAPPED = 0.3
_FEW_CHARS = 20
"""A page with fewer has no text worth the name."""
_INDENT = 3
_MOST_INDENT = 5
_WORDS = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
_BULLET = re.compile(rf"[{re.escape(BULLETS)}]\s+")
_PASSWORD = 4
_ADVICE = "add a text layer with `ocrmypdf --force-ocr IN.pdf OUT.pdf` (Debian: ocrmypdf)"


class PdfText(NamedTuple):
    """The text of a PDF, and what the file says and lacks."""

    text: PlacedText
    title: str | None
    pages: int
    empty: list[int]
    """Numbers of the pages without text."""


class _Page(NamedTuple):
    height: float
    lines: list[Line]


def read_pdf(stored: IO[bytes], limit: int) -> PdfText:
    """The text of a PDF.

    Raises:
        ConversionError: it is damaged, encrypted, too long, or has no text.
    """
    try:
        document = pdfium.PdfDocument(stored)
    except pdfium.PdfiumError as error:
        if getattr(error, "err_code", None) == _PASSWORD or "password" in str(error).lower():
            raise ConversionError(IngestReason.ENCRYPTED, "it needs a password") from error
        raise ConversionError(IngestReason.UNREADABLE, f"it is damaged or no PDF ({error})") from error
    count = len(document)
    if count > MOST_PAGES:
        raise ConversionError(IngestReason.TOO_LARGE, f"it has {count} pages, at most {MOST_PAGES} are read")
    if not count:
        raise ConversionError(IngestReason.EMPTY, "it has no pages")
    found: list[_Page] = []
    empty: list[int] = []
    broken: list[int] = []
    chars = unmapped = 0
    for number in range(count):
        content = _content(document, number)
        if content is None:
            broken.append(number + 1)
            content = PageContent(1, 1, [], [])
        chars, unmapped = chars + content.chars, unmapped + content.unmapped
        if content.chars < _FEW_CHARS:
            empty.append(number + 1)
        found.append(_Page(content.height, _lines(content)))
    _refuse_without_text(count, chars, unmapped, len(broken), len(empty))
    return PdfText(_written(found, limit), _title(document), count, empty)


def _refuse_without_text(count: int, chars: int, unmapped: int, broken: int, empty: int) -> None:
    if broken == count:
        raise ConversionError(IngestReason.UNREADABLE, "none of its pages can be read")
    if empty == count:
        raise ConversionError(IngestReason.IMAGE_ONLY, f"{count} pages without text: {_ADVICE}")
    if unmapped > _MOST_UNMAPPED * chars:
        detail = f"its fonts do not say which letters they draw: {_ADVICE}"
        raise ConversionError(IngestReason.IMAGE_ONLY, detail)


def _content(document: Any, number: int) -> PageContent | None:
    try:
        page = document[number]
    except pdfium.PdfiumError:
        return None
    try:
        return read_words(page)
    except pdfium.PdfiumError:
        return None
    finally:
        page.close()


def _title(document: Any) -> str | None:
    try:
        return document.get_metadata_value("Title") or None
    except (pdfium.PdfiumError, UnicodeError):
        return None


def _lines(content: PageContent) -> list[Line]:
    words, found = content.words, list[Line]()
    for grid in tables.grids(content.rules):
        inside = [word for word in words if grid.holds(word)]
        if inside and (line := tables.table(grid, inside)):
            found.append(line)
            words = [word for word in words if not grid.holds(word)]
    return found + lines(words, content.rules)


def _written(pages: list[_Page], limit: int) -> PlacedText:
    again = furniture.common((furniture.keys(page.lines, page.height) for page in pages), len(pages))
    kept = [furniture.without(page.lines, page.height, again, several=len(pages) > 1) for page in pages]
    body = body_height(line for page in kept for line in page)
    blocks, usual = Blocks(body), common_gutter(kept)
    laid_out = [columns(page, usual) for page in kept]
    label_lists([column for page in laid_out for column in page], body)
    for page in laid_out:
        blocks.page(page)
    return _text(blocks.found, limit)


def _text(blocks: list[Block], limit: int) -> PlacedText:
    words = {word.lower() for block in blocks for word in _WORDS.findall(block.text)}
    ranks, out = levels(blocks), PlacedText("page", limit)
    _announce(out, blocks)
    for block, indent in _indented(blocks):
        text = settled(block.text, words)
        if block.kind == "heading":
            out.heading(text, ranks[round(block.size * 2) / 2])
        elif block.kind == "item":
            out.item(_BULLET.sub("- ", text, count=1), indent)
        elif block.kind == "table":
            out.block(block.text)
            out.rows(block.rows)
        elif block.kind == "code":
            out.block(f"```\n{text}\n```")
        else:
            out.block(text)
    return out


def _announce(out: PlacedText, blocks: list[Block]) -> None:
    for number in range(sum(block.text.count(PAGE_BREAK) for block in blocks)):
        out.announce(str(number + 1))


def _indented(blocks: Iterable[Block]) -> Iterator[tuple[Block, int]]:
    """Blocks with the indentation of list items: by their kind of label, and by where they stand in their column."""
    open_: list[Block] = []
    for block in blocks:
        if block.kind != "item":
            open_ = []
            yield block, 0
            continue
        while open_ and not _is_below(block, open_):
            open_.pop()
        if open_ and _is_beside(block, open_[-1]):
            open_[-1] = block
        else:
            open_.append(block)
        yield block, _INDENT * min(len(open_) - 1, _MOST_INDENT)


def _is_below(block: Block, above: list[Block]) -> bool:
    """Whether an item belongs beside or below the last of the open ones."""
    last = above[-1]
    if block.column == last.column:
        return block.left >= last.left - _INDENT
    return _is_beside(block, last) or not any(_is_beside(block, each) for each in above)


def _is_beside(block: Block, last: Block) -> bool:
    same = _style(block) == _style(last)
    return same if block.column != last.column else abs(block.left - last.left) <= _INDENT


def _style(block: Block) -> str:
    """An item's label without its number: `1.`, `a)`, `•`."""
    label = block.text.lstrip(PAGE_BREAK).split(" ", 1)[0]
    return re.sub(r"[^\W\d_]+", "a", re.sub(r"\d+", "1", label))
