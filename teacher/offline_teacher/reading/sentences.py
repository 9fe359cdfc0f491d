"""Cuts Markdown or plain text into sentences that remember their list, their heading and the table below them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_MAX_LINE = 4000
_MAX_SENTENCE = 400
_WRAPPED_FROM = 50
"""A line at least this long without a full stop goes on in the next one."""
_ITEM = re.compile(r"^[ \t]*(?:(\(?(?:\d{1,3}|[a-zA-Z])[.)])|[-*+•–])(?:[ \t]+|$)(?:\[[ xX]\][ \t]+)?")
_STEP_MARK = re.compile(r"^(?:\*\*|__)?step\s+\d{1,2}[a-z]?\s*[.:)–-](?:\*\*|__)?\s*", re.IGNORECASE)
_HEADING = re.compile(r"^#{1,6}[ \t]+(.*?)[ \t#]*$")
_BOLD_HEADING = re.compile(r"^[ \t]*(?:\*\*|__)([^*_\n]{3,100}?):?(?:\*\*|__):?[ \t]*$")
_GOAL_LINE = re.compile(r"^(To [a-z][^.:;]{4,90}|[A-Z][^.:;]{4,90}\bfollow these steps):\s*$")
_STEP_HEADING = re.compile(r"^(?:step\s+\w{1,5}|\d{1,2})[.:)]*+(?:\s*+[-–—:])?\s++(?=\S)", re.IGNORECASE)
_UNDERLINE = re.compile(r"^(?:={3,}|-{3,}|\*{3,}|_{3,})\s*$")
_CODE_FENCE = re.compile(r"^\s*(?:```|~~~)")
_QUOTE = re.compile(r"^[ \t]*>[ \t>]*(?:\[![A-Za-z]+\][ \t]*)?")
_MARKUP = re.compile(r"!?\[([^\]\n]{0,200})\]\([^)\n]{0,300}\)|<[^<>\n]{1,200}>|[`*]{1,3}|(?<!\w)_{1,2}|_{1,2}(?!\w)")
_SENTENCE_END = re.compile(r"(?<=[.!?:;])[\"”)*_]{0,3}[ \t]+(?=[\"“'(\[*_`]{0,3}[A-Z0-9])")
_NAMED = re.compile(
    r"\*\*([^*\n]{2,60})\*\*|(?<![*\w])\*([^*\n]{2,60})\*(?!\w)|\"([^\"\n]{2,60})\"|“([^”\n]{2,60})”|`([^`\n]{2,60})`"
)
_ROW_ITEM = re.compile(
    r"^(?:\*\*([^*\n]{2,60})\*\*|`([^`\n]{2,60})`|\"([^\"\n]{2,60})\")\s*(?::\*\*|:|–|—|-|=)\s+(\S[^\n]*)$"
)
_LETTER = re.compile(r"[^\W\d_]")


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence without markup, and where it stood."""

    text: str
    raw: str
    """With its markup: names are quoted or bold there."""
    heading: str
    ordered: bool
    """In a numbered list, or under a heading that is a numbered step."""
    item: bool
    """In any list."""
    first: bool = True
    """The first of its list item or paragraph."""
    section: int = 0
    """Number of the heading it stands under."""
    note: bool = False
    """In a block quotation: a remark, a tip, a warning."""
    rows: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]], compare=False)
    """`(name, explanation)` of the table or list of named things right below."""


def named(raw: str) -> list[str]:
    """Names marked in a sentence: bold, emphasised, quoted, or code."""
    found = (next(filter(None, match.groups())).strip(" .:,;") for match in _NAMED.finditer(raw))
    return [name for name in found if _LETTER.search(name)]


def plain(raw: str) -> str:
    """Without Markdown and HTML marks, single spaces."""
    text = _MARKUP.sub(lambda match: match[1] or "", raw)
    return " ".join(text.replace("\\", "").split())


def sentences(text: str) -> list[Sentence]:
    """All sentences of a text, in order."""
    reader = _Reader()
    lines = text.split("\n")
    for line, below in zip(lines, [*lines[1:], ""], strict=True):
        reader.line(line[:_MAX_LINE].rstrip("\r"), below)
    reader.flush()
    return reader.found


class _Reader:
    """Collects lines to paragraphs and items, and those to sentences."""

    def __init__(self) -> None:
        self.found: list[Sentence] = []
        self._lines: list[str] = []
        self._heading, self._section = "", 0
        self._code = self._ordered = self._item = self._note = self._step_heading = False
        self._blank = True
        self._numbered_next = False
        """A line said no more than `Step 3:`, the instruction follows."""

    def line(self, line: str, below: str) -> None:
        if _CODE_FENCE.match(line):
            self.flush()
            self._code = not self._code
        elif self._code:
            return
        elif line.lstrip().startswith("|"):
            self.flush()
            self._row(line)
        elif not line.strip() or _UNDERLINE.match(line):
            self.flush()
            self._blank = True
            return
        elif (
            found := _HEADING.match(line)
            or _BOLD_HEADING.match(line)
            or self._underlined(line, below)
            or _GOAL_LINE.match(line)
        ):
            self._begin_section(plain(found[1]))
        else:
            self._prose(line)
        self._blank = False

    def _underlined(self, line: str, below: str) -> re.Match[str] | None:
        is_heading = self._blank and len(line) <= 100 and _UNDERLINE.match(below) and not _ITEM.match(line)
        return re.match(r"(.*)", line) if is_heading else None

    def _begin_section(self, heading: str) -> None:
        self.flush()
        self._section += 1
        self._item = self._ordered = self._note = False
        step = _STEP_HEADING.match(heading)
        self._step_heading = bool(step)
        if step:
            self.found.append(
                Sentence(heading[step.end() :], heading[step.end() :], self._heading, True, True, section=self._section)
            )
        else:
            self._heading = heading

    def _row(self, line: str) -> None:
        cells = [plain(cell) for cell in line.strip().strip("|").split("|")]
        if self.found and len(cells) > 1 and len(cells[0]) <= 60 and _LETTER.search(cells[0] + cells[1]):
            self.found[-1].rows.append((cells[0], cells[1][:_MAX_SENTENCE]))

    def _prose(self, line: str) -> None:
        quoted = _QUOTE.match(line)
        body = line[quoted.end() :] if quoted else line
        marker = _ITEM.match(body)
        if marker or bool(quoted) != self._note or not self._goes_on(body):
            self.flush()
        if marker:
            indented = line[:1] in " \t"
            self._ordered = marker[1] is not None or (self._ordered and self._item and indented)
            self._item = True
            body = body[marker.end() :]
        elif not self._lines and line[:1] not in " \t":
            self._item = self._ordered = False
        self._note = bool(quoted)
        step = _STEP_MARK.match(body)
        if step:
            self.flush()
            body = body[step.end() :]
        if step or (self._numbered_next and not marker):
            self._ordered = self._item = True
        self._numbered_next = not body.strip() and bool(step or (marker and marker[1]))
        row = _ROW_ITEM.match(body.strip()) if marker else None
        if row and self.found:
            name = next(filter(None, row.groups()[:3]))
            self.found[-1].rows.append((plain(name), plain(row[4])[:_MAX_SENTENCE]))
        self._lines.append(body.strip())

    def _goes_on(self, line: str) -> bool:
        """Whether a line continues the one before: hard-wrapped text, or a small letter."""
        if not self._lines:
            return False
        before = self._lines[-1]
        return before[-1:] not in ".!?:;" and (len(before) >= _WRAPPED_FROM or line.lstrip()[:1].islower())

    def flush(self) -> None:
        """Ends a paragraph or item."""
        whole, self._lines = " ".join(self._lines), []
        for index, sentence in enumerate(self._split(whole)):
            self.found.append(sentence if index == 0 else _later(sentence))

    def _split(self, whole: str) -> Iterator[Sentence]:
        for raw in _SENTENCE_END.split(whole):
            words = plain(raw[: 2 * _MAX_SENTENCE])[:_MAX_SENTENCE]
            if _LETTER.search(words):
                ordered = self._ordered and self._item
                yield Sentence(
                    words, raw[:_MAX_SENTENCE], self._heading, ordered, self._item, True, self._section, self._note
                )


def _later(sentence: Sentence) -> Sentence:
    return Sentence(
        sentence.text, sentence.raw, sentence.heading, sentence.ordered, sentence.item, False, sentence.section,
        sentence.note,
    )  # fmt: skip
