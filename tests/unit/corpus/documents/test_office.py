"""DOCX and PPTX: what Word and PowerPoint compute, such as numbers, is computed, and nothing is lost."""

import io

import pytest

from gem_tasks.corpus.documents.package import Package
from gem_tasks.corpus.documents.slides import read_pptx
from gem_tasks.corpus.documents.word.document import read_docx
from tests.made_files import W, docx, line, numbering, paragraph, pptx, shape, table

BREAK = "<w:r><w:lastRenderedPageBreak/></w:r>"
BOX = (
    '<w:r><mc:AlternateContent xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"><mc:Choice><w:txbxContent>'
    "<w:p><w:r><w:t>Never open it.</w:t></w:r></w:p></w:txbxContent></mc:Choice><mc:Fallback><w:txbxContent><w:p><w:r>"
    "<w:t>Never open it.</w:t></w:r></w:p></w:txbxContent></mc:Fallback></mc:AlternateContent></w:r>"
)


def word(*body, **kept):
    return read_docx(Package(io.BytesIO(docx(*body, **kept))), 10**6).result()


def slides(*found, **kept):
    return read_pptx(Package(io.BytesIO(pptx(*found, **kept))), 10**6).result()


def test_automatic_numbers_go_on_after_a_note_and_begin_anew_in_a_new_list():
    text, _ = word(
        paragraph("Return", style="Heading1"),
        paragraph("Open.", number=(1, 0)),
        paragraph("Look.", number=(1, 1)),
        paragraph("Feel.", number=(1, 1)),
        paragraph("A note."),
        paragraph("Close.", number=(1, 0)),
        paragraph("Look again.", number=(1, 1)),
        paragraph("Start over.", number=(2, 0)),
        numbers=numbering(("decimal", "%1."), ("lowerLetter", "%2)"), lists=2),
    )

    assert text == (
        "# Return\n\n1. Open.\n   a) Look.\n   b) Feel.\n\nA note.\n\n2. Close.\n   a) Look again.\n1. Start over."
    )


@pytest.mark.parametrize(
    ("levels", "expected"),
    [
        ([("decimal", "%1"), ("decimal", "%1.%2")], "1 A\n   1.1 B\n   1.2 B"),
        ([("upperRoman", "%1."), ("decimalZero", "%2.")], "I. A\n   01. B\n   02. B"),
        ([("decimal", "Step %1:"), ("bullet", "x")], "Step 1: A\n   - B\n   - B"),
    ],
)
def test_forms_of_numbers(levels, expected):
    body = [paragraph("A", number=(1, 0)), paragraph("B", number=(1, 1)), paragraph("B", number=(1, 1))]

    assert word(*body, numbers=numbering(*levels))[0] == expected


def test_a_numbered_heading_keeps_its_number():
    assert word(paragraph("Safety", style="Heading2", number=(1, 0)))[0] == "## 1. Safety"


def test_tables_with_steps_and_layout_tables():
    numbered = paragraph("Open.", number=(1, 0)) + paragraph("Close.", number=(1, 0))

    assert (
        word(table(["Who", "What"], ["You", numbered]))[0] == "| Who | What |\n|---|---|\n| You | 1. Open. 2. Close. |"
    )
    assert word(table([numbered * 2, "Side"]))[0] == "1. Open.\n2. Close.\n3. Open.\n4. Close.\n\nSide"


def test_a_text_box_is_read_once_and_the_text_around_it_stays():
    assert word(paragraph("Before the box.", raw=BOX))[0] == "Before the box.\n\nNever open it."


def test_deleted_and_hidden_text_is_left_out_and_inserted_text_stays():
    changes = (
        "<w:del><w:r><w:delText>old</w:delText></w:r></w:del><w:ins><w:r><w:t> new</w:t></w:r></w:ins>"
        "<w:r><w:rPr><w:vanish/></w:rPr><w:t>hidden</w:t></w:r><w:r><w:instrText>PAGE</w:instrText></w:r>"
    )

    assert word(paragraph("Press the", raw=changes))[0] == "Press the new"


def test_notes_follow_their_paragraph():
    notes = (
        f'<w:footnotes {W}><w:footnote w:id="2"><w:p><w:r><w:t>Only once.</w:t></w:r></w:p></w:footnote></w:footnotes>'
    )
    reference = '<w:r><w:footnoteReference w:id="2"/></w:r>'

    text, _ = word(paragraph("Press it.", raw=reference), more={"word/footnotes.xml": notes})

    assert text == "Press it. [2]\n\n[2] Only once."


def test_pages_of_word():
    text, places = word(
        paragraph("One.", number=(1, 0)),
        f"<w:p><w:r><w:t>Two begins </w:t></w:r>{BREAK}<w:r><w:t>and ends.</w:t></w:r></w:p>",
        f"<w:p><w:pPr><w:pStyle w:val='Heading1'/></w:pPr>{BREAK}<w:r><w:t>Three</w:t></w:r></w:p>",
    )

    assert text == "1. One.\n\nTwo begins and ends.\n\n# Three"
    assert places.of(0, 7) == "page 1"
    assert places.of(text.index("Two"), text.index("ends")) == "pages 1–2"
    assert places.of(text.index("# Three"), len(text)) == "page 3"


def test_a_document_without_known_pages_has_no_places():
    assert word(paragraph("One."))[1] is None


def test_slides():
    first = (
        shape(line("Press it."), line("Gently", level=1), kind="")
        + shape(line("Resetting"), kind="title")
        + shape(line("4"), kind="sldNum")
        + f"<p:grpSp>{shape(line('In a group.'))}</p:grpSp>"
    )
    second = shape(
        line("Open.", auto="arabicPeriod"),
        line("Look.", 1, "alphaLcParenR"),
        line("Feel.", 1, "alphaLcParenR"),
        line("Close.", auto="arabicPeriod"),
    )

    text, places = slides(first, second, notes={1: "Say it slowly."})

    assert text == (
        "## Resetting\n\n- Press it.\n   - Gently\n\nIn a group.\n\nNotes: Say it slowly.\n\n"
        "1. Open.\n   a) Look.\n   b) Feel.\n2. Close."
    )
    assert places.of(0, 10) == "slide 1"
    assert places.of(text.index("1. Open"), len(text)) == "slide 2"


def test_a_table_of_a_slide():
    cells = "".join(
        f"<a:tr><a:tc>{line(a)}</a:tc><a:tc>{line(b)}</a:tc></a:tr>" for a, b in [("No", "Do"), ("1", "Wait")]
    )

    assert (
        slides(f"<p:graphicFrame><a:tbl>{cells}</a:tbl></p:graphicFrame>")[0] == "| No | Do |\n|---|---|\n| 1 | Wait |"
    )
