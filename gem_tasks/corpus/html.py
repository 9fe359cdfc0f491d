"""HTML to Markdown-like text: headings and lists kept, navigation and scripts gone."""

import logging
import re
from html.parser import HTMLParser

import trafilatura
from lxml.etree import LxmlError  # pyright: ignore[reportUnknownVariableType]

# It reports every page without main content as an error; what became of the page is on the document.
logging.getLogger("trafilatura").setLevel(logging.CRITICAL)

_MAX_DEPTH = 500
"""Deeper nesting than this is no page a person made; recursive extractors would run out of stack."""
_HIDDEN = frozenset({"script", "style", "noscript", "template", "svg", "head", "iframe", "object"})
_BLOCK = frozenset(
    """address article aside blockquote br dd div dl dt fieldset figure footer form h1 h2 h3 h4 h5 h6 header hr li main
    nav ol p pre section table td th tr ul""".split()
)
_VOID = frozenset("area base br col embed hr img input link meta source track wbr".split())
_TITLE = re.compile(r"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)


def to_text(page: str) -> str:
    """The page's main content; the whole visible text where no main content stands out."""
    plain = _Plain()
    plain.feed(page)
    plain.close()
    if plain.depth <= _MAX_DEPTH and (main := _main(page)):
        return main
    return plain.text()


def title_of(page: str) -> str | None:
    """Content of `<title>`, if there is one."""
    match = _TITLE.search(page[:100_000])
    return " ".join(match[1].split())[:300] or None if match else None


def _main(page: str) -> str | None:
    try:
        return trafilatura.extract(
            page, output_format="markdown", include_comments=False, include_tables=True, favor_recall=True
        )
    except (LxmlError, ValueError, RecursionError):
        return None


class _Plain(HTMLParser):
    """Visible text with line breaks at blocks. No recursion, so no nesting can exhaust the stack."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.depth = 0
        """Deepest nesting seen."""
        self._open = 0
        self._hidden = 0
        self._parts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Counts nesting; starts a line at a block."""
        del attrs
        if tag not in _VOID:
            self._open += 1
            self.depth = max(self.depth, self._open)
        self._hidden += tag in _HIDDEN
        if tag in _BLOCK:
            self._parts.append({"li": "\n- ", "h1": "\n\n# ", "h2": "\n\n## ", "h3": "\n\n### "}.get(tag, "\n"))

    def handle_endtag(self, tag: str) -> None:
        """Leaves a hidden part; ends a line at a block."""
        self._open = max(0, self._open - 1)
        if tag in _HIDDEN:
            self._hidden = max(0, self._hidden - 1)
        if tag in _BLOCK:
            self._parts.append("\n")

    def handle_data(self, data: str) -> None:
        """Keeps visible words."""
        if not self._hidden:
            self._parts.append(" ".join(data.split()) + " " if data.strip() else " ")

    def text(self) -> str:
        """What was collected."""
        return re.sub(r"[ \t]*\n[ \t]*", "\n", "".join(self._parts)).strip()
