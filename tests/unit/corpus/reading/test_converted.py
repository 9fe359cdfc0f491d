"""Files with pages, slides, sheets, chapters: a document each, or the reason why not; nothing outside is opened."""

import gzip

import pytest

from gem_tasks.corpus.reading.readers import read
from gem_tasks.corpus.sources.listing import list_objects
from gem_tasks.domain.corpus import IngestReason
from gem_tasks.pipeline.ingest.prepare import Rules, prepare
from gem_tasks.pipeline.ingest.source import documents_of
from tests.made_files import Text, archive, docx, epub, paragraph, pdf, relations, xlsx

STEP = "1. Press the button of the pump and wait until the lamp is green."
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600
UNREADABLE, ENCRYPTED, EXPENSIVE = IngestReason.UNREADABLE, IngestReason.ENCRYPTED, IngestReason.TOO_EXPENSIVE


def read_bytes(tmp_path, name, data, limit=100_000):
    (tmp_path / name).write_bytes(data)
    return [raw for found in list_objects(str(tmp_path / name)) for raw in read(found, limit)]


def locked(data):
    """The archive with the mark that its entries need a password."""
    return data.replace(b"PK\x03\x04\x14\0\0\0", b"PK\x03\x04\x14\0\1\0").replace(
        b"PK\x01\x02\x14\x03\x14\0\0\0", b"PK\x01\x02\x14\x03\x14\0\1\0"
    )


ENTITIES = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>'
BAD = {
    "html.pdf": (b"<!DOCTYPE html><p>Not found</p>", UNREADABLE, "HTML"),
    "empty.pdf": (b"", IngestReason.EMPTY, "no bytes"),
    "cut.pdf": (pdf([Text(50, 50, STEP)])[:120], UNREADABLE, "damaged"),
    "old.docx": (OLE, UNREADABLE, "Office 97-2003"),
    "locked.docx": (OLE + "EncryptedPackage".encode("utf-16-le"), ENCRYPTED, "password"),
    "rich.docx": (b"{\\rtf1 hello}", UNREADABLE, "RTF"),
    "text.docx": (b"just some text", UNREADABLE, "no DOCX"),
    "sheet.docx": (xlsx(A=[["x"]]), UNREADABLE, "XLSX"),
    "cut.docx": (docx(paragraph(STEP))[:-60], UNREADABLE, "damaged"),
    "password.docx": (locked(docx(paragraph(STEP))), ENCRYPTED, "password"),
    "bomb.docx": (docx(paragraph(STEP), more={"word/document.xml": b" " * 20_000_000}), EXPENSIVE, "unpacks to"),
    "many.docx": (docx(paragraph(STEP), more={f"x/{at}": "" for at in range(20_001)}), EXPENSIVE, "entries"),
    "entities.docx": (docx(more={"word/document.xml": f"{ENTITIES}<x>&b;</x>"}), UNREADABLE, "entities"),
    "deep.docx": (docx(more={"word/document.xml": "<x>" * 5000 + "</x>" * 5000}), UNREADABLE, "not XML"),
    "no body.docx": (docx(more={"word/document.xml": "<x/>"}), UNREADABLE, "no body"),
    "broken.xlsx": (archive({"xl/workbook.xml": "<x"}), UNREADABLE, "sheets"),
    "no book.epub": (epub(more={"META-INF/container.xml": "<x/>"}), UNREADABLE, "names no book"),
    "drm.epub": (
        epub("<p>x</p>", more={"META-INF/encryption.xml": '<e><EncryptionMethod Algorithm="aes"/></e>'}),
        ENCRYPTED,
        "DRM",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_has_its_reason(tmp_path, name):
    data, reason, detail = BAD[name]

    [raw] = read_bytes(tmp_path, name, data, limit=1_000_000)

    assert (raw.reason, raw.text) == (reason, "")
    assert detail in raw.detail


def test_a_text_over_the_limit(tmp_path):
    [raw] = read_bytes(tmp_path, "a.docx", docx(paragraph("word " * 300)), limit=1000)

    assert raw.reason is IngestReason.TOO_LARGE


def test_nothing_outside_the_file_is_read(tmp_path):
    secret = tmp_path / "secret.xml"
    secret.write_text("<x>SECRET</x>", encoding="utf-8")
    outside = f'<Relationship Id="n" Type="x/numbering" Target="{secret}" TargetMode="External"/>'
    related = {"word/_rels/document.xml.rels": relations(("s", "styles", f"../../../..{secret}"), external=outside)}

    [raw] = read_bytes(tmp_path, "a.docx", docx(paragraph(STEP, number=(1, 0)), more=related))

    assert raw.text == STEP


def test_a_compressed_file(tmp_path):
    [raw] = read_bytes(tmp_path, "a.pdf.gz", gzip.compress(pdf([Text(50, 150, STEP)])))

    assert raw.text == STEP


def test_an_epub_has_its_chapters(tmp_path):
    [raw] = read_bytes(tmp_path, "a.epub", epub("<h1>One</h1><ol><li>Press.</li></ol>", "<h1>Two</h1>"))

    assert raw.text == "# One\n\n1. Press.\n\n# Two"
    assert raw.places.of(raw.text.index("# Two"), len(raw.text)) == "chapter 2"


def test_sheets_are_tables_and_rows_with_a_text_are_records(tmp_path):
    data = xlsx(Prices=[["Part", "Price"], ["Pump", 3.0]], Faq=[["id", "Text"], ["a", STEP], ["b", STEP]])

    first, second, tables = read_bytes(tmp_path, "a.xlsx", data)

    assert tables.text == "## Prices\n\n| Part | Price |\n|---|---|\n| Pump | 3 |"
    assert [raw.uri.rpartition("#")[2] for raw in (first, second)] == ["Faq/a", "Faq/b"]
    assert (first.text, first.places.of(0, 5)) == (STEP, "sheet Faq")


def test_pages_reach_the_segments(tmp_path):
    """Through the child process that reads such files."""
    steps = [
        Text(50, 150 + 14 * at, f"{at + 1}. Press the button number {at} and wait for the lamp.") for at in range(9)
    ]
    (tmp_path / "b.pdf").write_bytes(pdf(steps, steps))

    [good] = [raw for found in list_objects(str(tmp_path)) for raw in documents_of(found, 100_000, 100)]
    rules = Rules(license=None, target_tokens=100, max_tokens=150, min_chars=10, signed=False)
    [prepared] = prepare([good], rules)

    places = [segment.place for segment in prepared.segments]
    assert (places[0], places[-1]) == ("page 1", "page 2")
    assert set(places) <= {"page 1", "pages 1–2", "page 2"}
    for segment in prepared.segments:
        assert good.text[segment.start : segment.end] == segment.text


def test_a_declared_size_that_lies_does_not_help(tmp_path):
    data = bytearray(docx(more={"word/document.xml": b" " * 900_000}))
    at = data.index((900_000).to_bytes(4, "little"))
    data[at : at + 4] = (50).to_bytes(4, "little")
    data = bytes(data).replace((900_000).to_bytes(4, "little"), (50).to_bytes(4, "little"))

    [raw] = read_bytes(tmp_path, "a.docx", data)

    assert raw.reason is UNREADABLE
