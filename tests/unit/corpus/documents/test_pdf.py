"""PDF: words are put into the order in which people read, and none is lost."""

import io

import pytest

from gem_tasks.corpus.documents.pdf.blocks import settled
from gem_tasks.corpus.documents.pdf.document import read_pdf
from gem_tasks.corpus.documents.placed import PAGE_BREAK, ConversionError
from gem_tasks.domain.corpus import IngestReason
from tests.made_files import Text, pdf, rules

LONG = "which takes all of the width of"


def markdown(*pages):
    return read_pdf(io.BytesIO(pdf(*pages)), 10**6).text.result()


def body(*texts, x=50, y=150, leading=13):
    return [Text(x, y + leading * at, text) for at, text in enumerate(texts)]


def test_headings_steps_and_sub_steps():
    page = [
        Text(50, 100, "Changing the filter", 20),
        *body("1. Open the cover", "and wait.", x=50),
        Text(70, 180, "a) Check the seal."),
        Text(70, 194, "b) Check the ring."),
        Text(50, 208, "2."),  # as most programs write labels: apart from the text
        Text(66, 208, "Close the cover."),
    ]

    text, places = markdown(page)

    assert text == (
        "# Changing the filter\n\n1. Open the cover and wait.\n   a) Check the seal.\n"
        "   b) Check the ring.\n2. Close the cover."
    )
    assert places.of(0, len(text)) == "page 1"


def test_a_step_runs_over_the_page_break_and_both_pages_are_named():
    first = [Text(50, 30, "ACME manual"), *body("7. Loosen the screws of the cover and"), Text(280, 780, "Page 1 of 2")]
    second = [Text(50, 30, "ACME manual"), *body("lift the cover.", "8. Close it."), Text(280, 780, "Page 2 of 2")]

    text, places = markdown(first, second)

    assert text == "7. Loosen the screws of the cover and lift the cover.\n8. Close it."
    assert places.of(0, text.index("8.")) == "pages 1–2"
    assert places.of(text.index("8."), len(text)) == "page 2"


def test_headers_and_footers_leave_but_a_repeated_step_stays():
    page = [Text(50, 30, "ACME manual"), *body("1. Press the button of the pump.", y=70), Text(290, 780, "- 3 -")]

    text, _ = markdown(page, page, page)

    assert "ACME" not in text
    assert "3" not in text
    assert text.count("1. Press the button of the pump.") == 3


def test_two_columns_are_read_one_after_the_other():
    left = [f"Left {at} {LONG}" for at in range(6)]
    right = [f"Right {at} {LONG}" for at in range(6)]
    page = [Text(50, 100, "A title over both of the columns of this page", 16)]
    for at in range(6):  # the file may have them line by line
        page += [Text(50, 150 + 13 * at, left[at]), Text(320, 150 + 13 * at, right[at])]

    text, _ = markdown(page)

    assert text == "# A title over both of the columns of this page\n\n" + " ".join(left) + "\n\n" + " ".join(right)


def test_a_ruled_table_with_steps_goes_on_on_the_next_page():
    def rows(*cells, y=200):
        found = [rules([50, 100, 400], [y + 20 * at for at in range(len(cells) + 1)])]
        for at, (number, action) in enumerate(cells):
            found += [Text(55, y + 14 + 20 * at, number), Text(105, y + 14 + 20 * at, action)]
        return found

    text, _ = markdown(
        [*body("Follow the table."), *rows(("Step", "Action"), ("1", "Press reset"))],
        rows(("Step", "Action"), ("2", "Wait 10 s")),
    )

    assert text == "Follow the table.\n\n| Step | Action |\n|---|---|\n| 1 | Press reset |\n| 2 | Wait 10 s |"


def test_a_table_without_rules():
    page = []
    for at, row in enumerate([("Code", "Meaning"), ("E1", "Pump blocked"), ("E2", "No water")]):
        page += [Text(50, 100 + 13 * at, row[0]), Text(150, 100 + 13 * at, row[1])]

    assert markdown(page)[0] == "| Code | Meaning |\n|---|---|\n| E1 | Pump blocked |\n| E2 | No water |"


def test_hyphenation_is_undone_but_compounds_stay():
    page = body("A well-known machine has a front cover and a venti-", "lator, and it is a well-", "known one.")

    assert markdown(page)[0] == "A well-known machine has a front cover and a ventilator, and it is a well-known one."


def test_split_words_are_settled_by_the_words_of_the_document():
    text = f"an off\u00ad{PAGE_BREAK}line way-\u00adword, vent\u00adi\u00adlator, 5\u00adx"

    assert settled(text, {"off-line", "vent-i"}) == f"an off-{PAGE_BREAK}line way-word, vent-ilator, 5x"


def test_code_keeps_its_lines():
    page = [*body("Type this on the machine:"), Text(50, 180, "if on:", 10, "F3"), Text(74, 192, "stop()", 10, "F3")]

    assert markdown(page)[0] == "Type this on the machine:\n\n```\nif on:\n    stop()\n```"


def test_a_rotated_page_is_read_as_it_is_shown():
    data = pdf(
        [*(f"BT /F1 10 Tf 0 1 -1 0 {100 + 14 * at} 50 Tm ({at + 1}. Press button {at}.) Tj ET" for at in range(3))]
    )
    data = data.replace(b"/Type /Page /Parent", b"/Type /Page /Rotate 90 /Parent")

    text, _ = read_pdf(io.BytesIO(data), 10**6).text.result()

    assert text == "1. Press button 0.\n2. Press button 1.\n3. Press button 2."


LOCK = f"/Encrypt << /Filter /Standard /V 1 /R 2 /P -4 /O <{'0' * 64}> /U <{'1' * 64}> >> /ID [<00> <00>] "
BAD = {
    "encrypted": (pdf(body("secret"), trailer=LOCK), IngestReason.ENCRYPTED, "password"),
    "broken": (b"%PDF-1.4\n1 0 obj\n<< /Type", IngestReason.UNREADABLE, "damaged"),
    "no pages": (pdf(), IngestReason.UNREADABLE, "damaged"),
    "pictures": (pdf(["0 0 100 100 re f"], []), IngestReason.IMAGE_ONLY, "2 pages without text"),
}  # fmt: skip


@pytest.mark.parametrize(("data", "reason", "detail"), BAD.values(), ids=BAD)
def test_a_bad_file_has_its_reason(data, reason, detail):
    with pytest.raises(ConversionError, match=detail) as caught:
        read_pdf(io.BytesIO(data), 10**6)

    assert caught.value.reason is reason


def test_fonts_that_do_not_say_their_letters():
    inner = (
        "<< /Type /Font /Subtype /CIDFontType2 /BaseFont /Odd /DW 500"
        " /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> >>"
    )
    font = f"/F1 << /Type /Font /Subtype /Type0 /BaseFont /Odd /Encoding /Identity-H /DescendantFonts [{inner}] >>"
    data = pdf([f"BT /F1 10 Tf 50 700 Td <{'0123' * 40}> Tj ET"], fonts=font)

    with pytest.raises(ConversionError) as caught:
        read_pdf(io.BytesIO(data), 10**6)

    assert caught.value.reason is IngestReason.IMAGE_ONLY


def test_a_page_without_text_among_others_is_named():
    found = read_pdf(io.BytesIO(pdf(body("1. Press the button of the pump."), ["0 0 9 9 re f"])), 10**6)

    assert (found.pages, found.empty) == (2, [2])


def test_too_many_pages():
    one = pdf(body("Text of a page that is shown again and again."))
    many = one.replace(b"/Kids [3 0 R] /Count 1", b"/Kids [" + b"3 0 R " * 3001 + b"] /Count 3001")

    with pytest.raises(ConversionError, match="3001 pages") as caught:
        read_pdf(io.BytesIO(many), 10**6)

    assert caught.value.reason is IngestReason.TOO_LARGE
