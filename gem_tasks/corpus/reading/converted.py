"""PDF, DOCX, PPTX, XLSX and EPUB: one document a file, or a record a row. What is no such file gets a reason."""

from collections.abc import Iterator
from io import BytesIO
from typing import IO

from gem_tasks.corpus.documents.package import Package
from gem_tasks.corpus.documents.pdf.document import read_pdf
from gem_tasks.corpus.documents.placed import ConversionError, PlacedText
from gem_tasks.corpus.documents.sheets import records, sheets, tables
from gem_tasks.corpus.documents.slides import read_pptx
from gem_tasks.corpus.documents.word.document import read_docx
from gem_tasks.corpus.markdown.description import first_heading
from gem_tasks.corpus.reading.records import from_fields, refused
from gem_tasks.corpus.sources.objects import SourceObject
from gem_tasks.domain.base import Json
from gem_tasks.domain.corpus import IngestReason, Places, RawDocument

CONVERTED = {
    "application/pdf": "PDF",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "DOCX",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": "PPTX",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "XLSX",
    "application/epub+zip": "EPUB",
}
_LARGEST = 10
"""Most of a file in relation to the limit of its text; the rest are pictures."""
_HEAD = 2048
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED_PACKAGE = "EncryptedPackage".encode("utf-16-le")
_PARTS = {"DOCX": "word/", "PPTX": "ppt/", "XLSX": "xl/", "EPUB": "META-INF/container.xml"}
_OLD = {"DOCX": ".doc", "PPTX": ".ppt", "XLSX": ".xls", "EPUB": ".doc", "PDF": ".doc"}
_PAGES_NAMED = 100


def read_converted(found: SourceObject, stored: IO[bytes], limit: int) -> Iterator[RawDocument]:
    """Yields the documents of a file, or one with the reason why there is none.

    Args:
        found: the file.
        stored: its bytes, unpacked.
        limit: most characters of its text.
    """
    kind = CONVERTED[found.media_type]
    try:
        if found.size > _LARGEST * limit:
            raise ConversionError(IngestReason.TOO_LARGE, f"more than {_LARGEST * limit} bytes")
        _refuse_other_kinds(kind, stored)
        if kind == "XLSX":
            yield from _sheets(found, stored, limit)
        else:
            yield _document(found, kind, stored, limit)
    except ConversionError as error:
        yield refused(found, None, error.reason, str(error))


def whole_of(stream: IO[bytes], limit: int) -> IO[bytes]:
    """The bytes of a compressed file, within the bounds of one that is not; these formats are read at random.

    Raises:
        OSError: it is longer.
    """
    data = stream.read(_LARGEST * limit + 1)
    if len(data) > _LARGEST * limit:
        raise OSError(f"it unpacks to more than {_LARGEST * limit} bytes")
    return BytesIO(data)


def _refuse_other_kinds(kind: str, stored: IO[bytes]) -> None:
    head = stored.read(_HEAD)
    stored.seek(0)
    if not head:
        raise ConversionError(IngestReason.EMPTY, "the file has no bytes")
    if head.startswith(_OLE):
        data = stored.read()
        if _ENCRYPTED_PACKAGE in data:
            raise ConversionError(IngestReason.ENCRYPTED, "it needs a password")
        raise _other(kind, f"a file of Office 97-2003 ({_OLD[kind]}): save it as {kind}")
    actual = _actual(head)
    if actual != ("PDF" if kind == "PDF" else "an archive"):
        raise _other(kind, actual)


def _actual(head: bytes) -> str:
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if b"%PDF-" in head[:1024]:
        return "PDF"
    if head.startswith(b"PK"):
        return "an archive"
    if text.startswith((b"<!doctype html", b"<html")):
        return "HTML: rename it to .html"
    if text.startswith(b"{\\rtf"):
        return "RTF"
    return "text or something else"


def _other(kind: str, actual: str) -> ConversionError:
    return ConversionError(IngestReason.UNREADABLE, f"it is no {kind} but {actual}")


def _document(found: SourceObject, kind: str, stored: IO[bytes], limit: int) -> RawDocument:
    if kind == "PDF":
        pdf = read_pdf(stored, limit)
        about: Json = {"pages": pdf.pages} | ({"pages_without_text": pdf.empty[:_PAGES_NAMED]} if pdf.empty else {})
        return _raw(found, pdf.text, pdf.title, about)
    package = _package(kind, stored)
    if kind == "EPUB":
        # Its chapters are HTML, whose reader takes as long to load as everything else together.
        from gem_tasks.corpus.documents.epub import read_epub

        text, title = read_epub(package, limit)
        return _raw(found, text, title, {})
    return _raw(found, (read_docx if kind == "DOCX" else read_pptx)(package, limit), None, {})


def _package(kind: str, stored: IO[bytes]) -> Package:
    package = Package(stored)
    if not package.begins(_PARTS[kind]):
        actual = next((name for name, part in _PARTS.items() if package.begins(part)), "an archive of something else")
        raise _other(kind, actual)
    return package


def _raw(found: SourceObject, placed: PlacedText, title: str | None, about: Json) -> RawDocument:
    text, places = placed.result()
    return RawDocument(
        uri=found.uri,
        etag=found.etag,
        object_key=found.uri,
        text=text,
        # What the file says about itself is often the name of a template.
        title=first_heading(text) or title,
        places=places,
        metadata=about,
    )


def _sheets(found: SourceObject, stored: IO[bytes], limit: int) -> Iterator[RawDocument]:
    """A record for each row of sheets with a column `text`; the other sheets are one document."""
    _package("XLSX", stored)
    stored.seek(0)
    book = _read_sheets(stored.read())
    listed = [(name, records(rows)) for name, rows in book]
    for name, rows in listed:
        for number, record in rows or ():
            # Two sheets may have the same ids.
            key = {"id": f"{name}/{record.get('id') or number}"}
            raw = from_fields(found, number, f"row {number} of sheet {name}", record | key)
            yield raw.model_copy(update={"places": Places(unit="sheet", marks=((0, name),))})
    others = [each for each, (_, rows) in zip(book, listed, strict=True) if rows is None]
    if others:
        yield _raw(found, tables(others, limit), None, {})


def _read_sheets(data: bytes) -> list[tuple[str, list[list[str]]]]:
    try:
        return list(sheets(data))
    except Exception as error:
        raise ConversionError(IngestReason.UNREADABLE, f"its sheets cannot be read ({str(error)[:150]})") from error
