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
_DIRECTIVE = re.compile(r"(?:include|ifdef|ifndef|ifeval|endif|toc)::[^\s\[]*+\[.*\]")
_ADMONITION = re.compile(r"\[(NOTE|TIP|IMPORTANT|WARNING|CAUTION)[\],.#%]")
_START = re.compile(r"start=\"?(\d{1,6})")
_MACRO = re.compile(r"(?<![^\s\[\]])([^\s\[\]]++)\[([^\[\]]*+)\]")
"""A word with brackets behind it."""
_NAME = re.compile(
    r"(?<![A-Za-z0-9])(?:(?:link|mailto|https?|ftp|irc|xref|kbd|btn|pass|stem|term)|(menu)|(footnote)|(image)):"
)
_CROSS_REFERENCE = re.compile(r"<<([^<>,]++)(?:,\s*+([^<>]++))?>>")
_ANCHOR = re.compile(r"\[\[[^\[\]]++\]\]")
_ROLE = re.compile(r"\[[#.][\w.%-]++\]#([^#]++)#")
_REFERENCE = re.compile(r"\{([\w-]{1,60})\}")
_FORMS = ("decimal", "lowerLetter", "lowerRoman", "upperLetter", "upperRoman")
_SPAN = re.compile(r"(?:\d++(?:\.\d++)?[+*]|\.\d++[+*])?[<^>]?(?:\.[<^>])?[adehlmsv]?")
"""What may stand before a cell: how many columns and rows it takes, how its text stands, its style."""
_COLUMNS = re.compile(r"cols=\"([^\"]{1,500})\"|cols=([^\s,\]]{1,50})")
_MOST_COLUMNS = 100
_MOST_INSERTED = 1_000_000
"""Characters that references to attributes may add to a page; the others stay as they are written."""
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
        self._room = _MOST_INSERTED
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
        rows[0] += [""] * (width - len(rows[0]))
        shown = ["| " + " | ".join(self._inline(cell).strip() for cell in row) + " |" for row in rows]
        yield from ["", shown[0], "|" + "---|" * width, *shown[1:], ""]

    def _rows(self, inner: list[str]) -> list[list[str]]:
        """Cells may stand on separate lines: the columns, or the first line, say how many make a row."""
        cells: list[str] = []
        first = 0
        for line in inner:
            pieces = _cells(line)
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
        text = _REFERENCE.sub(self._value, text)
        text = _MACRO.sub(_said, _MACRO.sub(_said, text))  # one may stand within another
        text = _CROSS_REFERENCE.sub(lambda match: match[2] or match[1], text)
        text = _ROLE.sub(r"\1", _ANCHOR.sub("", text))
        return text[:-2] if text.endswith((" +", "\t+")) else text

    def _value(self, match: re.Match[str]) -> str:
        value = self._values.get(match[1])
        if value is None or len(value) > self._room:
            return match[0]
        self._room -= len(value)
        return value


def _said(match: re.Match[str]) -> str:
    """A macro's text for its reader."""
    word, words = match[1], match[2]
    name = _NAME.search(word)
    if not name:
        return match[0]
    before, target = word[: name.start()], word[name.end() :]
    if name[3]:
        return before if target.strip(":") else match[0]
    if not words:
        return match[0]
    if name[2]:
        return f"{before} ({words})"
    if name[1]:
        return f"{before}{target} > {words}" if target else match[0]
    return before + words


def _cells(line: str) -> list[str]:
    """The texts before, between and behind the bars, without what they say about the cell that follows."""
    *pieces, last = line.expandtabs(1).split("|")
    for at, piece in enumerate(pieces):
        text, blank, span = piece.rpartition(" ")
        if (blank or not at) and _SPAN.fullmatch(span):
            pieces[at] = text
    return [*pieces, last]
