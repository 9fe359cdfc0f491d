"""Writes an HTML tree as Markdown: every text node once, in order. Walks without recursion, in linear time."""

import re
from typing import Any, cast

from lxml import etree as _untyped_etree  # pyright: ignore[reportAttributeAccessIssue, reportUnknownVariableType]

from gem_tasks.corpus.html.tables import Table, complex_tables

etree = cast("Any", _untyped_etree)

_SKIPPED = frozenset(
    """script style noscript template svg head iframe object title select option optgroup datalist textarea canvas audio
    video map annotation rp""".split()
)
"""Elements without visible text, including scripts."""
_BLOCK = frozenset(
    """address article aside blockquote body caption center dd details dialog dir div dl dt fieldset figcaption figure
    footer form frameset h1 h2 h3 h4 h5 h6 header hgroup hr html legend li main menu nav ol p pre search section summary
    table tbody td tfoot th thead tr ul""".split()
)
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_LISTS = frozenset({"ol", "ul", "menu", "dir"})
_MARKS = {
    **dict.fromkeys(("b", "strong"), "**"),
    **dict.fromkeys(("i", "em"), "*"),
    **dict.fromkeys(("code", "kbd", "samp", "tt"), "`"),
    **dict.fromkeys(("del", "s", "strike"), "~~"),
}
_RAISED = {
    "sup": str.maketrans("0123456789+-()n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾ⁿ"),
    "sub": str.maketrans("0123456789+-()", "₀₁₂₃₄₅₆₇₈₉₊₋₍₎"),
}
"""10<sup>6</sup> is not 106."""
_RAISABLE = re.compile(r"[0-9+\-()n]{1,8}")
_SPACE = re.compile(r"[ \t\n\r\f]+")
_TICKS = re.compile(r"`+")
_BREAK = "\x01"
"""An intended line break, among white space that is not."""
_BUTTONS = frozenset({"button", "submit", "reset"})


def markdown(root: Any) -> str:
    """The text of an element and its descendants.

    Args:
        root: an lxml element; its tail is left out.
    """
    writer = _Writer(complex_tables(root))
    walk = etree.iterwalk(root, events=("start", "end"))
    for event, element in walk:
        tag = element.tag if isinstance(element.tag, str) else ""
        if event == "end":
            if tag and tag not in _SKIPPED:
                writer.end(tag, element)
            if element is not root:
                writer.text(element.tail)
        elif not tag or tag in _SKIPPED:
            walk.skip_subtree()
        else:
            writer.start(tag, element)
            writer.text(element.text)
    return writer.close()


class _Container:
    """A list item or a definition, below which the following lines are indented."""

    def __init__(self, marker: str) -> None:
        self.marker = marker
        self.indent = " " * len(marker)
        self.written = False

    def prefix(self) -> str:
        """Prefix of the next line."""
        mark, self.written = (self.indent if self.written else self.marker), True
        return mark


class _Writer:
    """Takes a tree's events, writes lines."""

    def __init__(self, complex_: set[Any]) -> None:
        self._complex = complex_
        self._parts: list[str] = []
        self._inline: list[str] = []
        self._opened: list[tuple[str, int]] = []
        """Open inline elements, and where in the line they began; -1 once a block came in between."""
        self._containers: list[_Container] = []
        self._lists: list[int | None] = []
        """The open lists: number of the next item, None for bulleted lists."""
        self._tables: list[Table | None] = []
        self._pre: list[str] | None = None
        self._heading = ""
        self._near = False
        """Whether the next block follows without an empty line."""

    def text(self, text: str | None) -> None:
        """Adds a text node."""
        if not text:
            return
        if self._pre is not None:
            self._pre.append(text)
        else:
            self._inline.append(_SPACE.sub(" ", text.replace(_BREAK, "")))

    def close(self) -> str:
        """The finished text."""
        self._flush()
        return "".join(self._parts)

    def start(self, tag: str, element: Any) -> None:
        """Begins an element."""
        if tag == "br":
            self._pre.append("\n") if self._pre is not None else self._inline.append(_BREAK)
        elif self._pre is not None:
            return
        elif tag in _BLOCK:
            self._flush()
            self._open(tag, element)
        elif tag in _MARKS or tag in _RAISED or tag in ("q", "rt"):
            self._opened.append((tag, len(self._inline)))
        elif tag == "input" and (element.get("type") or "").lower() in _BUTTONS:
            self._inline.append(element.get("value") or "")

    def end(self, tag: str, element: Any) -> None:
        """Ends an element."""
        if tag == "pre" and self._pre is not None:
            self._code("".join(self._pre))
            self._pre = None
        elif self._pre is not None:
            return
        elif tag in _BLOCK:
            if tag in ("li", "dd") and not self._said(self._containers[-1] if self._containers else None):
                self._inline += [f" {image.get('alt') or ''} " for image in element.iter("img")]
            self._flush()
            self._close(tag)
        elif self._opened and self._opened[-1][0] == tag:
            self._mark(*self._opened.pop())

    def _said(self, container: _Container | None) -> bool:
        return container is None or container.written or bool("".join(self._inline).strip())

    def _open(self, tag: str, element: Any) -> None:
        if tag == "pre":
            self._pre = []
        elif tag in _HEADINGS:
            self._heading = "#" * _HEADINGS[tag] + " "
        elif tag in _LISTS:
            self._near = bool(self._lists) and bool(self._containers) and self._containers[-1].written
            self._lists.append(_number(element.get("start"), 1) if tag == "ol" else None)
        elif tag == "li":
            self._containers.append(_Container(self._marker(element)))
        elif tag == "dd":
            self._near = True
            self._containers.append(_Container(": "))
        elif tag == "table":
            self._tables.append(None if element in self._complex or self._table else Table())
        elif self._table:
            self._table.open(tag, element)

    def _close(self, tag: str) -> None:
        if tag in _HEADINGS:
            self._heading = ""
        elif tag in _LISTS:
            if self._lists:
                self._lists.pop()
            self._near = False
        elif tag in ("li", "dd"):
            if self._containers:
                self._containers.pop()
            self._near = True if tag == "li" else self._near
        elif tag == "table":
            if self._tables and (table := self._tables.pop()):
                self._block(table.lines())

    @property
    def _table(self) -> Table | None:
        return self._tables[-1] if self._tables else None

    def _marker(self, element: Any) -> str:
        if not self._lists or self._lists[-1] is None:
            return "- "
        number = _number(element.get("value"), self._lists[-1])
        self._lists[-1] = number + 1
        return f"{number}. "

    def _flush(self) -> None:
        """Ends the paragraph."""
        text = "".join(self._inline)
        self._inline.clear()
        self._opened = [(tag, -1) for tag, _ in self._opened]
        lines = [line for each in text.split(_BREAK) if (line := _SPACE.sub(" ", each).strip())]
        if not lines:
            return
        if self._table and self._table.inside:
            self._table.add(" ".join(lines))
        elif self._heading:
            self._block([self._heading + " ".join(lines)])
        else:
            self._block(lines)

    def _code(self, text: str) -> None:
        lines = text.expandtabs(4).replace("\r\n", "\n").strip("\n").split("\n")
        if not text.strip():
            return
        if self._table and self._table.inside:
            self._table.add("`" + " ".join(text.split()) + "`")
            return
        fence = "`" * max(3, 1 + max((len(run) for run in _TICKS.findall(text)), default=0))
        self._block([fence, *lines, fence])

    def _block(self, lines: list[str]) -> None:
        if self._parts:
            self._parts.append("\n" if self._near else "\n\n")
        self._near = False
        for number, line in enumerate(lines):
            prefix = "".join(container.prefix() for container in self._containers)
            self._parts.append(("\n" if number else "") + (prefix + line).rstrip())

    def _mark(self, tag: str, begin: int) -> None:
        if begin < 0 or (self._heading and tag in ("b", "strong")):
            return
        inner = "".join(self._inline[begin:])
        words = inner.strip(" ")
        if not words or _BREAK in words:
            return
        before, after = inner[: len(inner) - len(inner.lstrip(" "))], inner[len(inner.rstrip(" ")) :]
        self._inline[begin:] = [before + _marked(tag, words) + after]


def _marked(tag: str, words: str) -> str:
    if tag in _RAISED:
        return words.translate(_RAISED[tag]) if _RAISABLE.fullmatch(words) else words
    if tag == "q":
        return f"“{words}”"
    if tag == "rt":
        return f"({words})"
    mark = _MARKS[tag]
    if mark == "`" and "`" in words:
        return f"`` {words} ``"
    # Marks within marks add nothing.
    return words if words.startswith(mark) else f"{mark}{words}{mark}"


def _number(value: str | None, otherwise: int) -> int:
    try:
        number = int(value or "")
    except ValueError:
        return otherwise
    return number if 0 <= number < 10**6 else otherwise
