"""CSV and TSV: a record a row if there is a column `text`, otherwise one document with a table."""

import csv
from collections.abc import Iterator
from io import StringIO

from gem_tasks.corpus.documents.placed import ConversionError, PlacedText
from gem_tasks.corpus.documents.sheets import records
from gem_tasks.corpus.reading.decode import decode
from gem_tasks.corpus.reading.records import from_fields, refused
from gem_tasks.corpus.sources.objects import SourceObject
from gem_tasks.domain.corpus import IngestReason, RawDocument

_SAMPLE = 16_384
_DELIMITERS = ",;\t|"


def read_delimited(found: SourceObject, data: bytes, limit: int) -> Iterator[RawDocument]:
    """The documents of a file.

    Args:
        found: the file.
        data: its bytes.
        limit: most characters of a document, and of a cell.
    """
    text = decode(data)
    if isinstance(text, IngestReason):
        yield refused(found, None, text)
        return
    try:
        rows = [row for row in _rows(text.replace("\0", ""), limit) if any(cell.strip() for cell in row)]
        listed = records(rows)
        for number, record in listed or ():
            yield from_fields(found, number, f"row {number}", record)
        if listed is None:
            yield _table(found, rows, limit)
    except csv.Error as error:
        yield refused(found, None, IngestReason.UNREADABLE, f"it is not CSV: {str(error)[:150]}")
    except ConversionError as error:
        yield refused(found, None, error.reason, str(error))


def _rows(text: str, limit: int) -> Iterator[list[str]]:
    csv.field_size_limit(limit)
    return csv.reader(StringIO(text, newline=""), delimiter=_delimiter(text[:_SAMPLE]))


def _delimiter(sample: str) -> str:
    """The one that occurs most often in the header, outside quotes."""
    header = "".join(sample.split('"')[::2]).lstrip("\r\n").partition("\n")[0]
    return max(_DELIMITERS, key=header.count)


def _table(found: SourceObject, rows: list[list[str]], limit: int) -> RawDocument:
    out = PlacedText("row", limit)
    out.rows(rows)
    text, _ = out.result()
    return RawDocument(uri=found.uri, etag=found.etag, object_key=found.uri, text=text)
