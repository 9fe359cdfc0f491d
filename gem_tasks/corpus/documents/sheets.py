"""XLSX to Markdown tables, or to records if a sheet has a column `text`."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from io import BytesIO
from typing import Any, cast

from python_calamine import CalamineWorkbook

from gem_tasks.corpus.documents.placed import PlacedText

_HIDDEN = "VeryHidden"


def sheets(data: bytes) -> Iterator[tuple[str, list[list[str]]]]:
    """`(name, rows of cells)` of each sheet, without empty rows; cells are texts as people read them.

    Raises:
        Exception: the library's own, if the file is damaged.
    """
    book = cast("Any", CalamineWorkbook).from_filelike(BytesIO(data))
    for about in book.sheets_metadata:
        if str(about.typ).endswith("WorkSheet") and not str(about.visible).endswith(_HIDDEN):
            rows = [list(map(_shown, row)) for row in book.get_sheet_by_name(about.name).iter_rows()]
            yield about.name, [row for row in rows if any(row)]


def tables(found: list[tuple[str, list[list[str]]]], limit: int) -> PlacedText:
    """Sheets as headings and tables."""
    out = PlacedText("sheet", limit)
    for name, rows in found:
        out.place(name)
        if rows:
            out.heading(name, 2)
            out.rows(rows)
    return out


def records(rows: list[list[str]]) -> Iterator[tuple[int, dict[str, str]]] | None:
    """`(row number, record)` for each row below the header; None if the header has no column `text`."""
    header = [cell.strip() for cell in rows[0]] if rows else []
    names = [name.lower() if name.lower() in ("id", "title", "text", "license", "lang") else name for name in header]
    if "text" not in names:
        return None
    return ((number, dict(zip(names, row, strict=False))) for number, row in enumerate(rows[1:], start=2))


def _shown(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime) and value.time() == time():
        value = value.date()
    return value.isoformat() if isinstance(value, date | time) else str(value) if _is_plain(value) else ""


def _is_plain(value: Any) -> bool:
    return isinstance(value, str | int | float | timedelta)
