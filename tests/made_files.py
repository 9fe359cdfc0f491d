"""Small PDF, DOCX, PPTX, XLSX and EPUB files, written by hand, so that a test says all that is in them."""

import io
import zipfile
from typing import NamedTuple

W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
_R = 'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
_A = 'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"'
_P = 'xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main"'
_TYPE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
HEIGHT = 800


class Text(NamedTuple):
    """A line of a PDF: points from the left and from the top."""

    x: float
    y: float
    text: str
    size: int = 10
    font: str = "F1"


def pdf(*pages: list[Text | str], trailer: str = "", fonts: str | None = None) -> bytes:
    """A PDF of pages of 600 by 800 points; strings are drawing operators. F1 is Helvetica, F2 bold, F3 Courier."""
    names = {"F1": "Helvetica", "F2": "Helvetica-Bold", "F3": "Courier"}
    described = fonts or " ".join(
        f"/{key} << /Type /Font /Subtype /Type1 /BaseFont /{name} /Encoding /WinAnsiEncoding >>"
        for key, name in names.items()
    )
    kids = " ".join(f"{3 + 2 * at} 0 R" for at in range(len(pages)))
    objects = ["<< /Type /Catalog /Pages 2 0 R >>", f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>"]
    for at, page in enumerate(pages):
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 {HEIGHT}] /Contents {4 + 2 * at} 0 R"
            f" /Resources << /Font << {described} >> >> >>"
        )
        content = "\n".join(each if isinstance(each, str) else _shown(each) for each in page)
        objects.append(f"<< /Length {len(content.encode('cp1252'))} >>\nstream\n{content}\nendstream")
    data, places = b"%PDF-1.4\n", []
    for number, each in enumerate(objects, start=1):
        places.append(len(data))
        data += f"{number} 0 obj\n{each}\nendobj\n".encode("cp1252")
    table = "".join(f"{place:010d} 00000 n \n" for place in places)
    size = len(objects) + 1
    end = f"xref\n0 {size}\n0000000000 65535 f \n{table}trailer\n<< /Size {size} /Root 1 0 R {trailer}>>\n"
    return data + f"{end}startxref\n{len(data)}\n%%EOF\n".encode()


def _shown(line: Text) -> str:
    escaped = line.text.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")
    return f"BT /{line.font} {line.size} Tf {line.x} {HEIGHT - line.y} Td ({escaped}) Tj ET"


def rules(xs: list[float], ys: list[float]) -> str:
    """The lines of a grid, in points from the left and from the top."""
    upright = [f"{x} {HEIGHT - ys[0]} m {x} {HEIGHT - ys[-1]} l S" for x in xs]
    return "\n".join([*upright, *(f"{xs[0]} {HEIGHT - y} m {xs[-1]} {HEIGHT - y} l S" for y in ys)])


def archive(parts: dict[str, str | bytes]) -> bytes:
    """A ZIP archive."""
    stored = io.BytesIO()
    with zipfile.ZipFile(stored, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in parts.items():
            file.writestr(name, content)
    return stored.getvalue()


def relations(*related: tuple[str, str, str], external: str = "") -> str:
    """A part of relations: `(id, kind, target)` each."""
    shown = "".join(f'<Relationship Id="{key}" Type="{_TYPE}/{kind}" Target="{to}"/>' for key, kind, to in related)
    return f'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{shown}{external}</Relationships>'


def paragraph(text: str, *, style: str = "", number: tuple[int, int] | None = None, raw: str = "") -> str:
    """A paragraph of a DOCX; `number` is `(list, level)`, `raw` more XML behind its text."""
    styled = f'<w:pStyle w:val="{style}"/>' if style else ""
    numbered = f'<w:numPr><w:ilvl w:val="{number[1]}"/><w:numId w:val="{number[0]}"/></w:numPr>' if number else ""
    return f"<w:p><w:pPr>{styled}{numbered}</w:pPr><w:r><w:t>{text}</w:t></w:r>{raw}</w:p>"


def table(*rows: list[str]) -> str:
    """A table of a DOCX; cells are paragraphs, or plain text."""
    cells = [
        "".join(f"<w:tc>{cell if cell.startswith('<') else paragraph(cell)}</w:tc>" for cell in row) for row in rows
    ]
    return f"<w:tbl>{''.join(f'<w:tr>{row}</w:tr>' for row in cells)}</w:tbl>"


def numbering(*levels: tuple[str, str], lists: int = 1) -> str:
    """Lists 1 to `lists` of one definition, whose levels have `(form, text)`; all but the first begin anew."""
    described = "".join(
        f'<w:lvl w:ilvl="{at}"><w:start w:val="1"/><w:numFmt w:val="{form}"/><w:lvlText w:val="{text}"/></w:lvl>'
        for at, (form, text) in enumerate(levels)
    )
    anew = '<w:lvlOverride w:ilvl="0"><w:startOverride w:val="1"/></w:lvlOverride>'
    numbers = "".join(
        f'<w:num w:numId="{number}"><w:abstractNumId w:val="7"/>{anew if number > 1 else ""}</w:num>'
        for number in range(1, lists + 1)
    )
    return f'<w:numbering {W}><w:abstractNum w:abstractNumId="7">{described}</w:abstractNum>{numbers}</w:numbering>'


def docx(*body: str, numbers: str = "", more: dict[str, str | bytes] | None = None) -> bytes:
    """A DOCX with headings `Heading1` to `Heading3`."""
    styles = "".join(
        f'<w:style w:styleId="Heading{level}"><w:name w:val="heading {level}"/></w:style>' for level in (1, 2, 3)
    )
    related = [("s", "styles", "styles.xml"), ("n", "numbering", "numbering.xml"), ("f", "footnotes", "footnotes.xml")]
    parts = {
        "_rels/.rels": relations(("d", "officeDocument", "word/document.xml")),
        "word/_rels/document.xml.rels": relations(*related),
        "word/document.xml": f"<w:document {W}><w:body>{''.join(body)}</w:body></w:document>",
        "word/styles.xml": f"<w:styles {W}>{styles}</w:styles>",
        "word/numbering.xml": numbers or numbering(("decimal", "%1."), ("lowerLetter", "%2)")),
    }
    return archive(parts | (more or {}))


def shape(*paragraphs: str, kind: str | None = None) -> str:
    """A shape of a slide; `kind` makes it a placeholder."""
    holder = "" if kind is None else f'<p:nvPr><p:ph type="{kind}"/></p:nvPr>' if kind else "<p:nvPr><p:ph/></p:nvPr>"
    named = f'<p:nvSpPr><p:cNvPr id="1" name="x"/>{holder}</p:nvSpPr>'
    return f"<p:sp>{named}<p:txBody>{''.join(paragraphs)}</p:txBody></p:sp>"


def line(text: str, level: int = 0, auto: str = "") -> str:
    """A paragraph of a slide; `auto` is the form of its automatic number."""
    bullet = f'<a:buAutoNum type="{auto}"/>' if auto else ""
    return f'<a:p><a:pPr lvl="{level}">{bullet}</a:pPr><a:r><a:t>{text}</a:t></a:r></a:p>'


def pptx(*slides: str, notes: dict[int, str] | None = None) -> bytes:
    """A PPTX; `notes` has speaker notes by number of the slide."""
    notes = notes or {}
    order = "".join(f'<p:sldId id="{at}" r:id="s{at}"/>' for at, _ in enumerate(slides, start=1))
    parts: dict[str, str | bytes] = {
        "_rels/.rels": relations(("d", "officeDocument", "ppt/presentation.xml")),
        "ppt/presentation.xml": f"<p:presentation {_P} {_R}><p:sldIdLst>{order}</p:sldIdLst></p:presentation>",
        "ppt/_rels/presentation.xml.rels": relations(
            *((f"s{at}", "slide", f"slides/slide{at}.xml") for at, _ in enumerate(slides, start=1))
        ),
    }
    for at, content in enumerate(slides, start=1):
        tree = f"<p:cSld><p:spTree>{content}</p:spTree></p:cSld>"
        parts[f"ppt/slides/slide{at}.xml"] = f"<p:sld {_P} {_A} {_R}>{tree}</p:sld>"
        if at in notes:
            parts[f"ppt/slides/_rels/slide{at}.xml.rels"] = relations(("n", "notesSlide", "../notes/n.xml"))
            body = shape(line(notes[at]), kind="body") + shape(line("3"), kind="sldNum")
            parts["ppt/notes/n.xml"] = f"<p:notes {_P} {_A}><p:cSld><p:spTree>{body}</p:spTree></p:cSld></p:notes>"
    return archive(parts)


def xlsx(**sheets: list[list[str | float]]) -> bytes:
    """An XLSX of texts and numbers."""
    space = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    named = "".join(f'<sheet name="{name}" sheetId="{at}" r:id="r{at}"/>' for at, name in enumerate(sheets, start=1))
    parts = {
        "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>',
        "_rels/.rels": relations(("d", "officeDocument", "xl/workbook.xml")),
        "xl/workbook.xml": f"<workbook {space} {_R}><sheets>{named}</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": relations(
            *((f"r{at}", "worksheet", f"worksheets/sheet{at}.xml") for at in range(1, len(sheets) + 1))
        ),
    }
    for at, rows in enumerate(sheets.values(), start=1):
        shown = "".join(f'<row r="{row}">{_cells(row, cells)}</row>' for row, cells in enumerate(rows, start=1))
        parts[f"xl/worksheets/sheet{at}.xml"] = f"<worksheet {space}><sheetData>{shown}</sheetData></worksheet>"
    return archive(parts)


def _cells(row: int, cells: list[str | float]) -> str:
    return "".join(
        f'<c r="{chr(65 + at)}{row}" t="inlineStr"><is><t>{cell}</t></is></c>'
        if isinstance(cell, str)
        else f'<c r="{chr(65 + at)}{row}"><v>{cell}</v></c>'
        for at, cell in enumerate(cells)
    )


def epub(*chapters: str, more: dict[str, str | bytes] | None = None) -> bytes:
    """An EPUB of XHTML chapters."""
    items = "".join(
        f'<item id="c{at}" href="text/{at}.xhtml" media-type="application/xhtml+xml"/>' for at in range(len(chapters))
    )
    spine = "".join(f'<itemref idref="c{at}"/>' for at in range(len(chapters)))
    parts = {
        "META-INF/container.xml": '<container><rootfiles><rootfile full-path="OPS/book.opf"/></rootfiles></container>',
        "OPS/book.opf": f"<package><title>The book</title><manifest>{items}</manifest><spine>{spine}</spine></package>",
        **{f"OPS/text/{at}.xhtml": f"<html><body>{each}</body></html>" for at, each in enumerate(chapters)},
    }
    return archive(parts | (more or {}))
