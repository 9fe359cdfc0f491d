"""HTML to Markdown-like text: keeps headings and lists, drops navigation and scripts. Linear time on any input."""

import html
import logging
import re
from typing import Any, NamedTuple, cast

import trafilatura
from lxml import etree as _untyped_etree  # pyright: ignore[reportAttributeAccessIssue, reportUnknownVariableType]
from lxml import html as lxml_html

from gem_tasks.corpus.html.main import main_element, page_heading, prune
from gem_tasks.corpus.html.writer import markdown

# It logs every page without main content as an error; the document records that outcome.
logging.getLogger("trafilatura").setLevel(logging.CRITICAL)

etree = cast("Any", _untyped_etree)

_MAX_TAGS = 100_000
"""On pages with more tags, which no person wrote, finding the main content takes minutes: take all visible text."""
_BLOCK = frozenset(
    """address article aside blockquote br dd div dl dt fieldset figure footer form h1 h2 h3 h4 h5 h6 header hr li main
    nav ol p pre section table td th tr ul""".split()
)
_OPENING = {"li": "\n- ", **{f"h{level}": f"\n\n{'#' * level} " for level in range(1, 7)}}
# Possessive, so that an unclosed tag is scanned once.
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*+)[^<>]*+>|<![^<>]*+>|<\?[^<>]*+>")
_UNFIT = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""Characters that a tree rejects, although its parser creates them from references such as `&#1;`."""
_RAW_END = {name: re.compile(f"</{name}", re.IGNORECASE) for name in ("script", "style")}


class Page(NamedTuple):
    """The text of a page."""

    text: str
    title: str | None
    """Content of `<title>`."""


def read_page(source: str) -> Page:
    """The page's whole main content; all visible text if no main content stands out."""
    source = _UNFIT.sub("", source)
    root = _parse(source)
    if root is None:
        return Page(_visible_of_soup(source), None)
    title = root.findtext(".//title")
    if source.count("<") > _MAX_TAGS:
        return Page(markdown(root), title)
    prune(root)
    # The extractor destroys its tree, so it gets a separate one.
    main = main_element(root, lambda: _extracted(_parse(source)))
    heading = page_heading(root, main)
    parts = [markdown(each) for each in (heading, main) if each is not None]
    return Page("\n\n".join(parts), title)


def read_whole(source: str) -> str:
    """All visible text, for a chapter of a book: it has no navigation around it."""
    source = _UNFIT.sub("", source)
    root = _parse(source)
    return _visible_of_soup(source) if root is None else markdown(root)


def _parse(source: str) -> Any | None:
    """The tree; None if the parser gives up, as it does on nesting that no person wrote."""
    parser = lxml_html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True)
    try:
        root = cast("Any", lxml_html).document_fromstring(source.encode("utf-8", "replace"), parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError):
        return None
    log = cast("Any", parser).error_log
    if any(entry.type_name == "ERR_RESOURCE_LIMIT" for entry in log):
        return None
    if "&#" in source:
        _without_unfit(root)
    return root


def _without_unfit(root: Any) -> None:
    for element in root.iter():
        for part in ("text", "tail"):
            if _UNFIT.search(getattr(element, part) or ""):
                setattr(element, part, _UNFIT.sub("", getattr(element, part)))
        for name, value in element.items():
            if _UNFIT.search(value):
                element.set(name, _UNFIT.sub("", value))


def _extracted(root: Any) -> str | None:
    try:
        return trafilatura.extract(root, include_comments=False, include_tables=True, favor_recall=True)
    except (etree.LxmlError, ValueError, RecursionError):
        return None


def _squeezed(text: str | None) -> str:
    return re.sub(r"\s+", " ", text) if text else ""


def _visible_of_soup(source: str) -> str:
    """Removes tags one by one, for a page without a tree."""
    parts: list[str] = []
    position = 0
    while match := _TAG.search(source, position):
        parts.append(_squeezed(html.unescape(source[position : match.start()])))
        position = match.end()
        closing, tag = match[1], (match[2] or "").lower()
        if not closing and tag in _RAW_END:
            end = _RAW_END[tag].search(source, position)
            position = end.start() if end else len(source)
        if tag in _BLOCK:
            parts.append("\n" if closing else _OPENING.get(tag, "\n"))
    parts.append(_squeezed(html.unescape(source[position:])))
    return "".join(parts)
