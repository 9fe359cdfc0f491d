"""Walks the body of a DOCX in reading order. Deleted and hidden text, comments, headers and footers are left out."""

from collections.abc import Iterator
from typing import Any

from gem_tasks.corpus.documents.package import Package, local
from gem_tasks.corpus.documents.placed import ConversionError, PlacedText
from gem_tasks.corpus.documents.word.numbering import Numbering, W, value, whole
from gem_tasks.corpus.documents.word.styles import Styles, numbered, outline
from gem_tasks.domain.corpus import IngestReason

_LEFT_OUT = frozenset({"del", "moveFrom", "Fallback", "instrText", "delText", "rPr", "pPr", "rt", "sdtPr", "tblPr"})
_SPACES = {"tab": " ", "ptab": " ", "br": "\n", "cr": "\n", "noBreakHyphen": "-", "softHyphen": ""}
_NOTES = {"footnoteReference": "footnotes", "endnoteReference": "endnotes"}
_INDENT = 3
_MOST_PARAGRAPHS = 3
"""In a cell of a data table; a cell with more makes it a layout table, which is written as blocks."""
_OFF = frozenset({"0", "false", "off"})


def read_docx(package: Package, limit: int) -> PlacedText:
    """The document's text; pages are known if Word saved where they broke.

    Raises:
        ConversionError: a part is damaged.
    """
    main = package.main("word/document.xml")
    parts = dict(package.related(main).values())
    body = package.xml(main).find(W + "body")
    if body is None:
        raise ConversionError(IngestReason.UNREADABLE, "it has no body")
    reader = _Reader(package, parts, PlacedText("page", limit), body)
    reader.blocks(body, 0)
    return reader.out


class _Reader:
    def __init__(self, package: Package, parts: dict[str, str], out: PlacedText, body: Any) -> None:
        def part(kind: str) -> Any | None:
            name = parts.get(kind)
            return package.xml(name) if name and package.has(name) else None

        self.out = out
        self._styles = Styles(part("styles"))
        self._numbering = Numbering(part("numbering"), self._styles.numbers())
        self._notes = {kind: _notes(part(kind)) for kind in _NOTES.values()}
        self._saved_breaks = next(body.iter(W + "lastRenderedPageBreak"), None) is not None
        self._page = 1
        self._boxes: list[Any] = []
        self._noted: list[tuple[str, Any]] = []
        if self._saved_breaks or any(each.get(W + "type") == "page" for each in body.iter(W + "br")):
            out.place("1")

    def blocks(self, parent: Any, depth: int) -> None:
        """Writes the paragraphs and tables of an element."""
        for child in parent:
            name = local(child)
            if name == "p":
                self._paragraph(child)
            elif name == "tbl":
                self._table(child, depth)
            elif name not in _LEFT_OUT:  # content controls, changes that were accepted, custom XML
                self.blocks(child, depth)

    def _paragraph(self, element: Any) -> None:
        label, heading, level = self._described(element)
        text = self._text(element)
        if label and not text.strip():
            label = None
        if heading:
            self.out.heading(f"{label} {text}" if label and label != "-" else text, heading)
        elif label:
            self.out.item(f"{label} {' '.join(text.split())}", _INDENT * level)
        else:
            self.out.block(text)
        self._beside()

    def _described(self, element: Any) -> tuple[str | None, int, int]:
        """`(label, heading level or 0, list level)`."""
        properties = element.find(W + "pPr")
        style = self._styles.of(value(properties, "pStyle"))
        own, level = numbered(properties)
        number = style.number if own is None else own
        level = level if level is not None else style.level or 0
        stated = outline(properties)
        heading = (style.heading or 0) if stated is None else stated
        if not self._has_text(element):
            return None, heading, level
        return (self._numbering.label(number, level) if number and number != "0" else None), heading, level

    @staticmethod
    def _has_text(element: Any) -> bool:
        return any(each.text for each in element.iter() if local(each) == "t")

    def _beside(self) -> None:
        """Text boxes anchored in the last paragraph, and its notes."""
        boxes, self._boxes = self._boxes, []
        noted, self._noted = self._noted, []
        for box in boxes:
            self.blocks(box, 0)
        for mark, note in noted:
            words = " ".join(" ".join(self._text(each).split()) for each in note.iter(W + "p"))
            self.out.block(f"[{mark}] {words}")

    def _text(self, element: Any) -> str:
        return "".join(self._runs(element))

    def _runs(self, element: Any) -> Iterator[str]:
        for child in element:
            name = local(child)
            if name in _LEFT_OUT or not name or (name == "r" and _hidden(child)):
                continue
            if name == "t":
                yield child.text or ""
            elif name == "txbxContent":
                self._boxes.append(child)
            elif name == "lastRenderedPageBreak" or (name == "br" and child.get(W + "type") == "page"):
                yield self._break(name)
            elif name in _SPACES:
                yield _SPACES[name]
            elif name == "sym":
                yield _symbol(child)
            elif name in _NOTES:
                yield self._note(name, child)
            else:
                yield from self._runs(child)

    def _break(self, name: str) -> str:
        # Where Word saved its page breaks, an intended one has a saved one behind it.
        if self._saved_breaks != (name == "lastRenderedPageBreak"):
            return ""
        self._page += 1
        return self.out.announce(str(self._page))

    def _note(self, name: str, element: Any) -> str:
        key = element.get(W + "id")
        note = self._notes[_NOTES[name]].get(key)
        if note is None:
            return ""
        self._noted.append((key, note))
        return f" [{key}]"

    def _table(self, table: Any, depth: int) -> None:
        rows = [each for each in table.iter(W + "tr") if next(each.iterancestors(W + "tbl")) is table]
        cells = [[cell for cell in row.iter(W + "tc") if next(cell.iterancestors(W + "tr")) is row] for row in rows]
        if any(map(_is_layout, (cell for row in cells for cell in row))) or max(map(len, cells), default=0) < 2:
            for row in cells:
                for cell in row:
                    self.blocks(cell, depth + 1)
            return
        self.out.rows([[text for cell in row for text in self._cell(cell)] for row in cells])
        self._beside()

    def _cell(self, cell: Any) -> list[str]:
        """Its text, and an empty cell for each further column that it spans."""
        words: list[str] = []
        for paragraph in cell.iter(W + "p"):
            if next(paragraph.iterancestors(W + "tc", W + "txbxContent")) is cell:
                label, _, _ = self._described(paragraph)
                words += [label] if label and label != "-" else []
                words.append(self._text(paragraph))
        span = whole(value(cell.find(W + "tcPr"), "gridSpan"), 1)
        return [" ".join(words), *[""] * (min(max(span, 1), 50) - 1)]


def _is_layout(cell: Any) -> bool:
    return next(cell.iter(W + "tbl"), None) is not None or len(cell.findall(W + "p")) > _MOST_PARAGRAPHS


def _hidden(run: Any) -> bool:
    properties = run.find(W + "rPr")
    mark = None if properties is None else properties.find(W + "vanish")
    return mark is not None and mark.get(W + "val", "").lower() not in _OFF


def _symbol(element: Any) -> str:
    """A character of a symbol font; those in the private area have no meaning as text."""
    code = element.get(W + "char") or ""
    try:
        number = int(code, 16)
    except ValueError:
        return ""
    return chr(number) if 0x20 <= number < 0xD800 else ""


def _notes(root: Any | None) -> dict[str | None, Any]:
    """Notes by id; the lines that separate notes from the text have a type."""
    return {} if root is None else {each.get(W + "id"): each for each in root if not each.get(W + "type")}
