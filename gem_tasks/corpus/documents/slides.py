"""PPTX to Markdown: a slide's title, texts, tables, diagrams and speaker notes, in the order of the presentation."""

import re
from collections.abc import Iterator
from typing import Any

from gem_tasks.corpus.documents.numerals import numeral
from gem_tasks.corpus.documents.package import Package, local
from gem_tasks.corpus.documents.placed import PlacedText

_A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_P = "{http://schemas.openxmlformats.org/presentationml/2006/main}"
_R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_TITLES = frozenset({"title", "ctrTitle"})
_FURNITURE = frozenset({"sldNum", "dt", "ftr", "hdr"})
_BULLETED = frozenset({"body", "obj", ""})
_AUTO = re.compile(r"(arabic|alphaLc|alphaUc|romanLc|romanUc)(\w*)")
_FORMS = {
    "arabic": "decimal",
    "alphaLc": "lowerLetter",
    "alphaUc": "upperLetter",
    "romanLc": "lowerRoman",
    "romanUc": "upperRoman",
}
_INDENT = 3
_LEVELS = 9


def read_pptx(package: Package, limit: int) -> PlacedText:
    """The presentation's text, slide by slide.

    Raises:
        ConversionError: a part is damaged.
    """
    out = PlacedText("slide", limit)
    main = package.main("ppt/presentation.xml")
    related = package.related(main)
    order = [each.get(_R + "id") for each in package.xml(main).iter(_P + "sldId")]
    for number, key in enumerate(order, start=1):
        if key in related:
            out.place(str(number))
            _slide(package, related[key][1], out)
    return out


def _slide(package: Package, name: str, out: PlacedText) -> None:
    related = package.related(name)
    kinds = {kind: part for kind, part in related.values()}
    layout = package.xml(kinds["slideLayout"]) if package.has(kinds.get("slideLayout", "")) else None
    shapes = list(_shapes(package.xml(name)))
    # The title comes first, wherever it is in the file.
    for shape in sorted(shapes, key=lambda shape: _placeholder(shape)[0] not in _TITLES):
        _shape(package, shape, related, layout, out)
    if package.has(kinds.get("notesSlide", "")):
        _notes(package.xml(kinds["notesSlide"]), out)


def _shapes(root: Any) -> Iterator[Any]:
    for tree in root.iter(_P + "spTree"):
        yield from (each for each in tree.iter(_P + "sp", _P + "graphicFrame", _P + "cxnSp") if _shown(each))


def _shown(shape: Any) -> bool:
    properties = next(shape.iter(_P + "cNvPr"), None)
    fallback = any(local(above) == "Fallback" for above in shape.iterancestors())
    return not fallback and (properties is None or properties.get("hidden") not in ("1", "true"))


def _placeholder(shape: Any) -> tuple[str | None, str | None]:
    """`(type, index)`; the type is empty for general content, None if it is no placeholder."""
    found = next(shape.iter(_P + "ph"), None)
    return (None, None) if found is None else (found.get("type", ""), found.get("idx"))


def _shape(package: Package, shape: Any, related: dict[str, tuple[str, str]], layout: Any, out: PlacedText) -> None:
    kind, index = _placeholder(shape)
    if kind in _FURNITURE:
        return
    if local(shape) == "graphicFrame":
        _graphic(package, shape, related, out)
        return
    body = shape.find(_P + "txBody")
    if body is None:
        return
    if kind in _TITLES:
        out.heading(" ".join(map(_text, body.iter(_A + "p"))), 2)
        return
    above = (
        None
        if layout is None
        else next((each for each in _shapes(layout) if _placeholder(each)[1] == index and index is not None), None)
    )
    _paragraphs(body, [body, None if above is None else above.find(_P + "txBody")], kind in _BULLETED, out)


def _paragraphs(body: Any, styles: list[Any], bulleted: bool, out: PlacedText) -> None:
    counts: list[tuple[str, int] | None] = [None] * _LEVELS
    for paragraph in body.iter(_A + "p"):
        text = _text(paragraph)
        properties = paragraph.find(_A + "pPr")
        level = _level(properties)
        if not text.strip():
            continue
        bullet = _bullet(properties, styles, level)
        counts[level + 1 :] = [None] * (_LEVELS - level - 1)
        kind = "" if bullet is None else local(bullet)
        if kind == "buAutoNum":
            out.item(f"{_numbered(bullet, counts, level)} {' '.join(text.split())}", _INDENT * level)
            continue
        counts[level] = None
        if kind in ("buChar", "buBlip") or (bulleted and kind != "buNone"):
            out.item(f"- {' '.join(text.split())}", _INDENT * level)
        else:
            out.block(text)


def _level(properties: Any | None) -> int:
    stated = "0" if properties is None else properties.get("lvl", "0")
    return int(stated) if stated.isascii() and stated.isdigit() and int(stated) < _LEVELS else 0


def _bullet(properties: Any | None, styles: list[Any], level: int) -> Any | None:
    """The element that says how the paragraph is marked: its own, or that of the shape or the layout."""
    listed = [None if style is None else style.find(f"{_A}lstStyle/{_A}lvl{level + 1}pPr") for style in styles]
    for source in (properties, *listed):
        for child in () if source is None else source:
            if local(child) in ("buAutoNum", "buChar", "buBlip", "buNone"):
                return child
    return None


def _numbered(bullet: Any, counts: list[tuple[str, int] | None], level: int) -> str:
    form, start = bullet.get("type", "arabicPeriod"), bullet.get("startAt", "1")
    before = counts[level]
    first = int(start) if start.isascii() and start.isdigit() else 1
    number = before[1] + 1 if before and before[0] == form + start else first
    counts[level] = (form + start, number)
    match = _AUTO.match(form)
    text = numeral(number, _FORMS[match[1]] if match else "decimal")
    return {"ParenR": f"{text})", "ParenBoth": f"({text})"}.get(match[2] if match else "", f"{text}.")


def _text(paragraph: Any) -> str:
    return "".join("\n" if local(each) == "br" else each.text or "" for each in paragraph.iter(_A + "t", _A + "br"))


def _graphic(package: Package, frame: Any, related: dict[str, tuple[str, str]], out: PlacedText) -> None:
    for table in frame.iter(_A + "tbl"):
        out.rows([[_cell(cell) for cell in row.findall(_A + "tc")] for row in table.findall(_A + "tr")])
    for each in frame.iter():
        if local(each) == "relIds" and (part := related.get(each.get(_R + "dm", ""))) and package.has(part[1]):
            _diagram(package.xml(part[1]), out)


def _cell(cell: Any) -> str:
    counts: list[tuple[str, int] | None] = [None] * _LEVELS
    words: list[str] = []
    for paragraph in cell.iter(_A + "p"):
        bullet = _bullet(paragraph.find(_A + "pPr"), [], 0)
        if bullet is not None and local(bullet) == "buAutoNum" and _text(paragraph).strip():
            words.append(_numbered(bullet, counts, 0))
        words.append(_text(paragraph))
    return " ".join(words)


def _diagram(root: Any, out: PlacedText) -> None:
    for paragraph in root.iter(_A + "p"):
        if text := " ".join(_text(paragraph).split()):
            out.item(f"- {text}")


def _notes(root: Any, out: PlacedText) -> None:
    texts = [
        _text(paragraph)
        for shape in _shapes(root)
        if _placeholder(shape)[0] == "body"
        for paragraph in shape.iter(_A + "p")
    ]
    texts = [text for text in texts if text.strip()]
    if texts:
        out.block("Notes: " + texts[0])
        for text in texts[1:]:
            out.block(text)
