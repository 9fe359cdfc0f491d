"""Writes data tables as Markdown, and finds layout tables, whose cells hold paragraphs and lists."""

from typing import Any

_CELL = frozenset({"td", "th"})
_CONTENTS = frozenset({"ul", "ol", "dl", "pre", "table", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "details"})
_MAX_SPAN = 50
_FEW_PARAGRAPHS = 1


def complex_tables(root: Any) -> set[Any]:
    """Tables whose cells have an inner structure: these are written cell by cell, as blocks."""
    found: set[Any] = set()
    for element in root.iter(*_CONTENTS):
        if (table := _around(element)) is not None:
            found.add(table)
    for cell in root.iter(*_CELL):
        if len(cell.findall("p")) > _FEW_PARAGRAPHS and (table := _around(cell)) is not None:
            found.add(table)
    for table in root.iter("table"):
        if table.get("role") in ("presentation", "none") or not _is_grid(table):
            found.add(table)
    return found


def _around(element: Any) -> Any | None:
    return next(element.iterancestors("table"), None)


def _is_grid(table: Any) -> bool:
    """Whether a row has at least two cells."""
    rows = table.xpath("./tr | ./thead/tr | ./tbody/tr | ./tfoot/tr")
    return any(sum(cell.tag in _CELL for cell in row) > 1 for row in rows)


class Table:
    """A table while it is being read.

    Attributes:
        inside: whether a cell is open.
    """

    def __init__(self) -> None:
        self._rows: list[list[str]] = []
        self._spanning: dict[int, int] = {}
        """Maps a column to the number of further rows that a cell above spans."""
        self._column = 0
        self.inside = False

    def open(self, tag: str, element: Any) -> None:
        """Begins a part of the table."""
        if tag == "tr":
            self._rows.append([])
            self._reach()
        elif tag in _CELL:
            if not self._rows:
                self._rows.append([])
            self._begin_cell(_span(element, "colspan"), _span(element, "rowspan"))
        self.inside = tag in _CELL or (self.inside and tag not in ("caption", "tr", "thead", "tbody", "tfoot"))

    def add(self, text: str) -> None:
        """Adds a paragraph to the open cell."""
        row = self._rows[-1]
        row[self._column] = f"{row[self._column]} {text}".strip()

    def lines(self) -> list[str]:
        """The lines of the table; its first row is the header."""
        rows = [row for row in self._rows if any(row)]
        width = max(map(len, rows), default=0)
        shown = [
            "| " + " | ".join(_escaped(cell) for cell in [*row, *[""] * (width - len(row))]) + " |" for row in rows
        ]
        return [*shown[:1], "|" + "---|" * width, *shown[1:]] if shown else []

    def _begin_cell(self, columns: int, rows: int) -> None:
        row = self._rows[-1]
        self._column = len(row)
        for column in range(self._column, self._column + columns):
            row.append("")
            if rows > 1:
                self._spanning[column] = rows - 1
        self._reach()

    def _reach(self) -> None:
        """Adds empty cells for cells above that span into this row, from its current end."""
        row = self._rows[-1]
        while self._spanning.get(len(row), 0) > 0:
            self._spanning[len(row)] -= 1
            row.append("")


def _span(element: Any, name: str) -> int:
    try:
        return max(1, min(int(element.get(name) or 1), _MAX_SPAN))
    except ValueError:
        return 1


def _escaped(cell: str) -> str:
    return cell.replace("|", "\\|")
