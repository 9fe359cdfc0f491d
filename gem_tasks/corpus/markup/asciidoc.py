"""AsciiDoc to Markdown, line by line: a line that means nothing special stays as it is, so no text is lost.

`include::` and conditions are not followed: nothing outside the text is read.
"""

import re
from collections.abc import Iterator

from gem_tasks.corpus.documents.numerals import numeral

_HEADING = re.compile(r"(={1,6}|#{1,6})[ \t]+(\S.*)")
_ATTRIBUTE = re.compile(r":(!?[\w-]{1,60}!?):(?:[ \t]+(.*))?")
_BLOCK_ATTRIBUTES = re.compile(r"\[(?:\[[^\]]*\]|[^\]]*)\]\s*")
_TITLE = re.compile(r"\.([^\s.].*)")
_ITEM = re.compile(r"[ \t]*(\*{1,5}|\.{1,5}|-|\d{1,3}\.|[a-zA-Z]\.|<(?:\d{1,3}|\.)>)[ \t]+(\S.*)")
_TERM = re.compile(r"[ \t]*(\S.{0,300}?)(:{2,4}|;;)(?:[ \t]+(.*))?")
_VERBATIM = re.compile(r"(-{4,}|\.{4,}|`{3,}.*|\+{4,}|/{4,})\s*")
_STRUCTURE = re.compile(r"(={4,}|\*{4,}|_{4,}|--|'{3,}|<{3,})\s*")
_TABLE = re.compile(r"[|,:!]={3,}\s*")
_DIRECTIVE = re.compile(r"(?:include|ifdef|ifndef|ifeval|endif|toc)::\S*\[.*\]\s*")
_ADMONITION = re.compile(r"\[(NOTE|TIP|IMPORTANT|WARNING|CAUTION)[\],.#%]")
_START = re.compile(r"start=\"?(\d{1,6})")
_MACROS = (
    (re.compile(r"(?:link:|mailto:|https?://|ftp://|irc://)[^\s\[\]]{1,500}\[([^\[\]]{1,500})\]"), r"\1"),
    (re.compile(r"(?:xref|kbd|btn|pass|stem|term):[^\s\[\]]{0,200}\[([^\[\]]{1,500})\]"), r"\1"),
    (re.compile(r"menu:([^\s\[\]]{1,100})\[([^\[\]]{1,200})\]"), r"\1 > \2"),
    (re.compile(r"footnote:\w{0,50}\[([^\[\]]{1,1000})\]"), r" (\1)"),
    (re.compile(r"image::?[^\s\[\]]{1,500}\[([^\[\]]{0,500})\]"), ""),
    (re.compile(r"<<[^<>,]{1,200},\s*([^<>]{1,300})>>"), r"\1"),
    (re.compile(r"<<([^<>,]{1,200})>>"), r"\1"),
    (re.compile(r"\[\[[^\]]{1,200}\]\]"), ""),
    (re.compile(r"\[[#.][\w.%-]{1,60}\]#([^#]{1,300})#"), r"\1"),
    (re.compile(r"[ \t]\+$"), ""),
)
_REFERENCE = re.compile(r"\{([\w-]{1,60})\}")
_FORMS = ("decimal", "lowerLetter", "lowerRoman", "upperLetter", "upperRoman")
_CELL = re.compile(r"(?:\d+(?:\.\d+)?[+*]|\.\d+[+*])?[<^>]?(?:\.[<^>])?[adehlmsv]?\|")
_COLUMNS = re.compile(r"cols=\"([^\"]{1,500})\"|cols=([^\s,\]]{1,50})")
_MOST_COLUMNS = 100
_INDENT = 3


def asciidoc_to_markdown(text: str) -> str:
    """The Markdown of a page."""
    return "\n".join(_Converter(text.split("\n")).lines())


class _Converter:
    """Goes through the lines once."""

    def __init__(self, lines: list[str]) -> None:
        self._lines = lines
        self._at = 0
        self._values: dict[str, str] = {}
        self._markers: list[str] = []
        """Markers of the open lists, outermost first."""
        self._counts: list[int] = []
        self._attributes = ""
        self._blank = True
        self._continued = False
        """Whether a `+` attached the lines up to the next empty one to the open item."""

    def lines(self) -> Iterator[str]:
        """The lines of the Markdown."""
        yield from self._header()
        while self._at < len(self._lines):
            line = self._lines[self._at].rstrip()
            self._at += 1
            yield from self._line(line)
            self._blank = not line

    def _header(self) -> Iterator[str]:
        """The title; authors, revision and attributes below it are left out."""
        while self._at < len(self._lines) and self._is_skipped(self._lines[self._at]):
            self._at += 1
        if self._at < len(self._lines) and (match := re.fullmatch(r"[=#][ \t]+(\S.*)", self._lines[self._at].rstrip())):
            yield f"# {self._inline(match[1])}"
            yield ""
            self._at += 1
            while self._at < len(self._lines) and self._lines[self._at].strip():
                self._is_skipped(self._lines[self._at])
                self._at += 1

    def _is_skipped(self, line: str) -> bool:
        """An empty line, a comment, or an attribute, which is noted."""
        if match := _ATTRIBUTE.fullmatch(line.rstrip()):
            self._values[match[1]] = (match[2] or "").strip()
            return True
        return not line.strip() or (line.startswith("//") and not line.startswith("////"))

    def _line(self, line: str) -> Iterator[str]:
        if not line:
            self._continued = False
            yield ""
        elif line.startswith("//") and not line.startswith("///"):
            return
        elif _ATTRIBUTE.fullmatch(line) and self._is_skipped(line):
            return
        elif _TABLE.fullmatch(line):
            yield from self._table(line.strip())
        elif match := _VERBATIM.fullmatch(line):
            yield from self._verbatim(match[1])
        elif _STRUCTURE.fullmatch(line) or _DIRECTIVE.fullmatch(line):
            yield ""
        elif _BLOCK_ATTRIBUTES.fullmatch(line):
            yield from self._block_attributes(line)
        else:
            yield from self._words(line)

    def _block_attributes(self, line: str) -> Iterator[str]:
        self._attributes = line
        if match := _ADMONITION.match(line):
            yield ""
            yield f"**{match[1]}:**"

    def _words(self, line: str) -> Iterator[str]:
        if match := _HEADING.fullmatch(line):
            self._markers, self._counts = [], []
            yield f"{'#' * len(match[1])} {self._inline(match[2])}"
        elif line == "+":
            self._continued = True
            yield ""
        elif match := _ITEM.fullmatch(line):
            yield self._item(match[1], match[2])
        elif (match := _TITLE.fullmatch(line)) and self._blank:
            yield f"**{self._inline(match[1])}**"
            yield ""
        elif match := _TERM.fullmatch(line):
            yield f"**{self._inline(match[1])}**: {self._inline(match[3] or '')}".rstrip()
        else:
            yield self._paragraph(line)
        self._attributes = ""

    def _paragraph(self, line: str) -> str:
        if self._blank and not self._continued:
            self._markers, self._counts = [], []
        return " " * (_INDENT * len(self._markers) if self._continued else 0) + self._inline(line)

    def _item(self, marker: str, words: str) -> str:
        kind, self._continued = re.sub(r"\d+", "1", marker), False
        if kind in self._markers:
            depth = self._markers.index(kind)
            del self._markers[depth + 1 :], self._counts[depth + 1 :]
            self._counts[depth] += 1
        else:
            depth = len(self._markers)
            self._markers.append(kind)
            self._counts.append(1)
        if match := _START.search(self._attributes):
            self._counts[depth] = int(match[1])
        return " " * (_INDENT * depth) + f"{self._label(marker, depth)} {self._inline(words)}"

    def _label(self, marker: str, depth: int) -> str:
        if marker[0] == ".":
            return numeral(self._counts[depth], _FORMS[min(len(marker) - 1, len(_FORMS) - 1)]) + "."
        if marker[0] == "<":
            return f"{self._counts[depth]}." if marker == "<.>" else f"{marker[1:-1]}."
        return "-" if marker[0] in "*-" else marker

    def _verbatim(self, fence: str) -> Iterator[str]:
        """A block of code; comments and raw output are left out."""
        begin = self._at
        close = fence[:3] if fence[0] == "`" else fence
        while self._at < len(self._lines) and self._lines[self._at].rstrip() != close:
            self._at += 1
        inner = self._lines[begin : self._at]
        self._at += 1
        if fence[0] not in "/+":
            yield from ["", "```", *inner, "```"]
        self._attributes = ""

    def _table(self, fence: str) -> Iterator[str]:
        begin = self._at
        while self._at < len(self._lines) and self._lines[self._at].rstrip() != fence:
            self._at += 1
        inner = self._lines[begin : self._at]
        self._at += 1
        rows = [line.split(fence[0]) for line in inner if line.strip()] if fence[0] in ",:" else self._rows(inner)
        self._attributes = ""
        if not rows:
            return
        width = max(map(len, rows))
        shown = [
            "| " + " | ".join([*(self._inline(cell).strip() for cell in row), *[""] * (width - len(row))]) + " |"
            for row in rows
        ]
        yield from ["", shown[0], "|" + "---|" * width, *shown[1:], ""]

    def _rows(self, inner: list[str]) -> list[list[str]]:
        """Cells may stand on separate lines: the columns, or the first line, say how many make a row."""
        cells: list[str] = []
        first = 0
        for line in inner:
            pieces = _CELL.split(line)
            if len(pieces) > 1:
                if cells and pieces[0].strip():
                    cells[-1] += " " + pieces[0].strip()
                cells += pieces[1:]
                first = first or len(cells)
            elif cells and line.strip():
                cells[-1] += " " + line.strip()
        width = self._width() or first
        return [cells[at : at + width] for at in range(0, len(cells), width)] if width else []

    def _width(self) -> int:
        match = _COLUMNS.search(self._attributes)
        if not match:
            return 0
        stated = match[1] or match[2]
        if times := re.fullmatch(r"(\d{1,3})\*.*", stated):
            return min(int(times[1]), _MOST_COLUMNS)
        return min(len(re.split(r"[,;]", stated.rstrip(",;"))), _MOST_COLUMNS)

    def _inline(self, text: str) -> str:
        text = _REFERENCE.sub(lambda match: self._values.get(match[1], match[0]), text)
        for pattern, shown in _MACROS:
            text = pattern.sub(shown, text)
        return text
