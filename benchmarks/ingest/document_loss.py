"""What GEM loses of PDF, DOCX and PPTX: steps, numbers, headings, table cells of made files with known text.

    uv run --with reportlab --with python-docx --with python-pptx python benchmarks/ingest/document_loss.py
    … --others     compares with the other readers that are installed: pandoc, mammoth, kreuzberg, pdf_oxide, …
    … --keep DIR   keeps the files

Every file mixes what manuals have: numbered steps with sub-steps that run over pages, lists that continue after a note,
tables with steps, running headers, two columns, text boxes, speaker notes.
"""

import argparse
import random
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

VERBS = "Open Close Press Hold Turn Remove Insert Check Clean Lift Lower Drain Fill Loosen Tighten Measure".split()
PARTS = """the front cover|the main valve|the drain hose|the safety switch|the filter housing|the upper tray
|the control panel|the rear hinge|the fuel line|the sensor plug|the pump motor|the cooling fan""".replace(
    "\n", ""
).split("|")
ENDS = """with the supplied wrench until it stops|for ten seconds, then release it|and wait until the lamp turns green
|without touching the contacts|as shown in the figure on the next page|and write the value into the service record
|before you continue with the following step""".replace("\n", "").split("|")


@dataclass
class Known:
    """The text of a made file."""

    steps: list[tuple[str, str]] = field(default_factory=list)
    """`(label as a reader sees it, text)`."""
    headings: list[str] = field(default_factory=list)
    cells: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    """Paragraphs, boxes, notes."""


class Maker:
    """Makes sentences that occur once."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.count = seed * 1000

    def step(self) -> str:
        self.count += 1
        pick = self.random.choice
        return f"{pick(VERBS)} {pick(PARTS)} number {self.count} {pick(ENDS)}."

    def words(self, kind: str) -> str:
        self.count += 1
        return f"{kind} {self.count} {self.random.choice(PARTS)[4:]}"

    def paragraph(self) -> str:
        self.count += 1
        many = " ".join(
            f"It concerns {self.random.choice(PARTS)}, {self.random.choice(ENDS)}."
            for _ in range(self.random.randint(1, 5))
        )
        return f"Paragraph {self.count} explains the work. {many}"


def letter(number: int) -> str:
    return "abcdefghij"[number - 1]


def make_pdf(path: Path, seed: int) -> Known:  # noqa: PLR0915
    """One or two columns, headers and footers, steps over page breaks, ruled tables with steps."""
    from reportlab.lib.pagesizes import A4, LETTER
    from reportlab.lib.styles import ParagraphStyle, getSampleStyleSheet
    from reportlab.platypus import BaseDocTemplate, Frame, PageTemplate, Paragraph, Spacer, Table

    make, known = Maker(seed), Known()
    width, height = (A4, LETTER)[seed % 2]
    styles = getSampleStyleSheet()
    two = seed % 3 == 1
    size = make.random.choice([9, 10, 11])
    body = ParagraphStyle(
        "b", parent=styles["BodyText"], fontSize=size, leading=size * 1.25, alignment=4 if seed % 4 == 2 else 0
    )
    wide = (width - 100 - (20 if two else 0)) / (2 if two else 1)
    frames = [Frame(50 + at * (wide + 20), 60, wide, height - 120, id=str(at)) for at in range(2 if two else 1)]

    def furniture(canvas: Any, template: Any) -> None:
        canvas.setFont("Helvetica", 8)
        canvas.drawString(50, height - 30, f"ACME {seed} Service Manual")
        canvas.drawRightString(width - 50, 25, f"Page {template.page} of 99")

    template = BaseDocTemplate(str(path), pagesize=(width, height))
    template.addPageTemplates([PageTemplate(frames=frames, onPage=furniture)])
    story: list[Any] = []

    def heading(level: int) -> None:
        text = make.words("Section")
        known.headings.append(text)
        story.append(Paragraph(text, styles[f"Heading{level}"]))

    def paragraph() -> None:
        text = make.paragraph()
        known.others.append(text)
        story.append(Paragraph(text, body))

    def steps() -> None:
        form = make.random.choice(["{}.", "{})", "({})"])
        for number in range(1, make.random.randint(4, 12)):
            text, label = make.step(), form.format(number)
            known.steps.append((label, text))
            story.append(
                Paragraph(text, ParagraphStyle("s", parent=body, leftIndent=22, bulletIndent=2), bulletText=label)
            )
            for sub in range(1, make.random.choice([1, 1, 3, 4])):
                text, label = make.step(), f"{letter(sub)})"
                known.steps.append((label, text))
                story.append(
                    Paragraph(text, ParagraphStyle("t", parent=body, leftIndent=44, bulletIndent=24), bulletText=label)
                )

    def table() -> None:
        rows = [["Step", "Action"]]
        for number in range(1, make.random.randint(3, 6)):
            text = make.step()
            known.steps.append((str(number), text))
            rows.append([str(number), text])
        known.cells += [row[1] for row in rows[1:]]
        cells = [[row[0], Paragraph(row[1], body)] for row in rows]
        story.append(Table(cells, colWidths=[40, wide - 60], style=[("GRID", (0, 0), (-1, -1), 0.5, "black")]))
        story.append(Spacer(1, 8))

    for _ in range(make.random.randint(3, 6)):
        heading(1)
        paragraph()
        heading(2)
        steps()
        paragraph()
        table()
    template.build(story)
    return known


def make_docx(path: Path, seed: int) -> Known:  # noqa: C901, PLR0915
    """Automatic numbers of several levels, numbers that go on after a note, tables with steps, text boxes."""
    import docx
    from docx.oxml import parse_xml
    from docx.oxml.ns import qn

    make, known = Maker(seed), Known()
    document = docx.Document()
    word = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
    numbering = document.part.numbering_part.element
    forms = [("decimal", "%1."), ("decimal", "%1)"), ("upperRoman", "%1.")][seed % 3]
    numbering.find(qn("w:num")).addprevious(
        parse_xml(
            f'<w:abstractNum {word} w:abstractNumId="90"><w:multiLevelType w:val="multilevel"/>'
            f'<w:lvl w:ilvl="0"><w:start w:val="1"/><w:numFmt w:val="{forms[0]}"/>'
            f'<w:lvlText w:val="{forms[1]}"/></w:lvl>'
            f'<w:lvl w:ilvl="1"><w:start w:val="1"/><w:numFmt w:val="lowerLetter"/><w:lvlText w:val="%2)"/></w:lvl>'
            f"</w:abstractNum>"
        )
    )
    roman = "I II III IV V VI VII VIII IX X XI XII XIII XIV XV XVI XVII XVIII XIX XX XXI XXII XXIII".split()
    lists = 0

    def item(parent: Any, text: str, level: int, number: int) -> None:
        paragraph = parent.add_paragraph(text)
        paragraph._p.get_or_add_pPr().append(
            parse_xml(f'<w:numPr {word}><w:ilvl w:val="{level}"/><w:numId w:val="{number}"/></w:numPr>')
        )

    def paragraph() -> None:
        known.others.append(make.paragraph())
        document.add_paragraph(known.others[-1])

    def steps() -> None:
        nonlocal lists
        lists += 1
        key = 200 + lists
        numbering.append(
            parse_xml(
                f'<w:num {word} w:numId="{key}"><w:abstractNumId w:val="90"/><w:lvlOverride w:ilvl="0">'
                '<w:startOverride w:val="1"/></w:lvlOverride></w:num>'
            )
        )
        for number in range(1, make.random.randint(4, 12)):
            label = forms[1].replace("%1", roman[number - 1] if forms[0] == "upperRoman" else str(number))
            known.steps.append((label, make.step()))
            item(document, known.steps[-1][1], 0, key)
            for sub in range(1, make.random.choice([1, 1, 3, 4])):
                known.steps.append((f"{letter(sub)})", make.step()))
                item(document, known.steps[-1][1], 1, key)
            if make.random.random() < 0.2:
                paragraph()  # the numbers go on

    def table() -> None:
        rows = make.random.randint(3, 6)
        grid = document.add_table(rows=rows, cols=2)
        grid.rows[0].cells[0].text, grid.rows[0].cells[1].text = "Step", "Action"
        for number in range(1, rows):
            text = make.step()
            known.steps.append((str(number), text))
            known.cells.append(text)
            grid.rows[number].cells[0].text, grid.rows[number].cells[1].text = str(number), text

    def box() -> None:
        text = make.paragraph()
        known.others.append(text)
        drawing = (
            f'<mc:AlternateContent xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" {word}'
            ' xmlns:wps="http://schemas.microsoft.com/office/word/2010/wordprocessingShape"'
            ' xmlns:v="urn:schemas-microsoft-com:vml"><mc:Choice Requires="wps"><w:drawing><wps:wsp><wps:txbx>'
            f"<w:txbxContent><w:p><w:r><w:t>{text}</w:t></w:r></w:p></w:txbxContent></wps:txbx></wps:wsp></w:drawing>"
            f"</mc:Choice><mc:Fallback><w:pict><v:textbox><w:txbxContent><w:p><w:r><w:t>{text}</w:t></w:r></w:p>"
            "</w:txbxContent></v:textbox></w:pict></mc:Fallback></mc:AlternateContent>"
        )
        anchor = make.paragraph()
        known.others.append(anchor)
        document.add_paragraph(anchor).add_run()._r.append(parse_xml(drawing))

    for _ in range(make.random.randint(3, 6)):
        for level in (1, 2):
            known.headings.append(make.words("Section"))
            document.add_heading(known.headings[-1], level)
            paragraph()
        steps()
        table()
        box()
        if make.random.random() < 0.5:
            document.add_page_break()
    document.save(str(path))
    return known


def make_pptx(path: Path, seed: int) -> Known:
    """Automatic numbers, sub-steps, tables, text boxes, groups and speaker notes."""
    import pptx
    from pptx.oxml import parse_xml
    from pptx.util import Emu

    make, known = Maker(seed), Known()
    deck = pptx.Presentation()
    namespace = 'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"'

    def numbered(frame: Any) -> None:
        counts = [0, 0]
        for at in range(make.random.randint(3, 7)):
            level = 1 if at and make.random.random() < 0.4 else 0
            counts = [counts[0], counts[1] + 1] if level else [counts[0] + 1, 0]
            text = make.step()
            known.steps.append((f"{letter(counts[1])})" if level else f"{counts[0]}.", text))
            paragraph = frame.paragraphs[0] if not at else frame.add_paragraph()
            paragraph.text, paragraph.level = text, level
            form = "alphaLcParenR" if level else "arabicPeriod"
            paragraph._p.get_or_add_pPr().append(parse_xml(f'<a:buAutoNum {namespace} type="{form}"/>'))

    for _ in range(make.random.randint(4, 9)):
        slide = deck.slides.add_slide(deck.slide_layouts[1])
        known.headings.append(make.words("Slide"))
        slide.shapes.title.text = known.headings[-1]
        numbered(slide.placeholders[1].text_frame)
        known.others.append(make.paragraph())
        slide.shapes.add_textbox(Emu(0), Emu(0), Emu(9), Emu(9)).text_frame.text = known.others[-1]
        known.others.append(make.paragraph())
        slide.shapes.add_group_shape().shapes.add_textbox(
            Emu(0), Emu(0), Emu(9), Emu(9)
        ).text_frame.text = known.others[-1]
        rows = make.random.randint(3, 5)
        table = slide.shapes.add_table(rows, 2, Emu(0), Emu(0), Emu(9), Emu(9)).table
        for number in range(rows):
            text = make.step()
            known.steps.append((str(number + 1), text))
            known.cells.append(text)
            table.cell(number, 0).text, table.cell(number, 1).text = str(number + 1), text
        known.others.append(make.paragraph())
        slide.notes_slide.notes_text_frame.text = known.others[-1]
    deck.save(str(path))
    return known


def squeezed(text: str) -> str:
    return re.sub(r"[\s|*]+", " ", text)


def measure(text: str, known: Known) -> Counter[str]:
    """Counts of what is there and what is lost."""
    plain, lines = squeezed(text), [line.strip() for line in text.splitlines()]
    headings = {squeezed(line.lstrip("#")).strip() for line in lines if line.startswith("#")}
    cells = squeezed(" ".join(line for line in lines if line.startswith("|")))
    tabled = set(known.cells)
    found: Counter[str] = Counter()
    for label, step in known.steps:
        found["steps"] += 1
        found["steps lost"] += step not in plain
        found["numbers"] += 1
        found["numbers lost"] += f"{label} {step}" not in plain and f"{label} {step}" not in plain.replace("\\", "")
    places = [plain.find(step) for _, step in known.steps]
    places = [place for place in places if place >= 0]
    found["out of order"] = sum(second < first for first, second in pairwise(places))
    for name, items, there in (
        ("headings", known.headings, headings),
        ("cells", sorted(tabled), cells),
        ("paragraphs", known.others, plain),
    ):
        found[name] += len(items)
        found[f"{name} lost"] += sum(item not in there for item in items)
    return found


def with_gem(path: Path) -> str:
    from gem_tasks.corpus.sources.listing import list_objects
    from gem_tasks.pipeline.ingest.source import documents_of

    return "\n\n".join(each.text for found in list_objects(str(path)) for each in documents_of(found, 20_000_000, 1000))


def with_pandoc(path: Path) -> str:
    import pypandoc

    return pypandoc.convert_file(str(path), "gfm", extra_args=["--sandbox", "--wrap=none"])


def with_mammoth(path: Path) -> str:
    import mammoth

    from gem_tasks.corpus.html.page import read_page

    with path.open("rb") as stored:
        return read_page(mammoth.convert_to_html(stored).value).text


def with_kreuzberg(path: Path) -> str:
    import kreuzberg

    return kreuzberg.extract_file_sync(str(path), config=kreuzberg.ExtractionConfig(output_format="markdown")).content


def with_pdf_oxide(path: Path) -> str:
    import pdf_oxide

    document = pdf_oxide.PdfDocument(str(path))
    return "\n\n".join(document.to_markdown(page) for page in range(document.page_count()))


def with_pdfplumber(path: Path) -> str:
    import pdfplumber

    with pdfplumber.open(path) as document:
        return "\n\n".join(page.extract_text() or "" for page in document.pages)


def with_markitdown(path: Path) -> str:
    from markitdown import MarkItDown

    return MarkItDown().convert(str(path)).text_content


READERS: dict[str, tuple[Callable[[Path], str], str]] = {
    "GEM": (with_gem, "pdf docx pptx"),
    "pandoc": (with_pandoc, "docx pptx"),
    "mammoth": (with_mammoth, "docx"),
    "kreuzberg": (with_kreuzberg, "pdf docx pptx"),
    "pdf_oxide": (with_pdf_oxide, "pdf"),
    "pdfplumber": (with_pdfplumber, "pdf"),
    "markitdown": (with_markitdown, "pdf docx pptx"),
}
MAKERS: dict[str, Callable[[Path, int], Known]] = {"pdf": make_pdf, "docx": make_docx, "pptx": make_pptx}
COLUMNS = ("steps lost", "numbers lost", "out of order", "headings lost", "cells lost", "paragraphs lost")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=30)
    parser.add_argument("--others", action="store_true")
    parser.add_argument("--keep", type=Path)
    asked = parser.parse_args()
    folder = asked.keep or Path(tempfile.mkdtemp())
    folder.mkdir(parents=True, exist_ok=True)
    print("| files | reader |", " | ".join(COLUMNS), "|")
    for kind, make in MAKERS.items():
        made = {folder / f"{seed}.{kind}": make(folder / f"{seed}.{kind}", seed) for seed in range(asked.files)}
        for name, (reader, kinds) in READERS.items():
            if kind not in kinds.split() or (name != "GEM" and not asked.others):
                continue
            total: Counter[str] = Counter()
            try:
                for path, known in made.items():
                    total.update(measure(reader(path), known))
            except ImportError:
                print(f"{name} is not installed", file=sys.stderr)
                continue
            shown = [
                f"{total[name]} of {total[name.removesuffix(' lost')]}" if "lost" in name else str(total[name])
                for name in COLUMNS
            ]
            print(f"| {len(made)} {kind} | {name} |", " | ".join(shown), "|", flush=True)


if __name__ == "__main__":
    main()
