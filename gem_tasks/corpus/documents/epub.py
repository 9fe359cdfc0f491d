"""EPUB to Markdown: the chapters in reading order."""

import posixpath
from typing import Any

from gem_tasks.corpus.documents.package import Package, inside, local
from gem_tasks.corpus.documents.placed import ConversionError, PlacedText
from gem_tasks.corpus.html.page import read_whole
from gem_tasks.domain.corpus import IngestReason

_CONTAINER = "META-INF/container.xml"
_LOCKS = "META-INF/encryption.xml"
_FONTS = ("http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC")
"""Ways to scramble fonts, which is no protection of the text."""
_PAGES = frozenset({"application/xhtml+xml", "text/html", "application/x-dtbook+xml"})


def read_epub(package: Package, limit: int) -> tuple[PlacedText, str | None]:
    """The book's text and title.

    Raises:
        ConversionError: it is damaged, or protected.
    """
    book = next((each.get("full-path") for each in package.xml(_CONTAINER).iter() if local(each) == "rootfile"), None)
    if not book:
        raise ConversionError(IngestReason.UNREADABLE, "it names no book")
    if package.has(_LOCKS) and _locked(package.xml(_LOCKS)):
        raise ConversionError(IngestReason.ENCRYPTED, "its chapters are protected (DRM)")
    about, out = package.xml(book), PlacedText("chapter", limit)
    for number, name in enumerate(_spine(about, posixpath.dirname(book)), start=1):
        if package.has(name):
            out.place(str(number))
            out.block(read_whole(_decoded(package.read(name))))
    title = next((each.text for each in about.iter() if local(each) == "title"), None)
    return out, title


def _spine(about: Any, folder: str) -> list[str]:
    """Parts of the reading order, without the table of contents."""
    items = {each.get("id"): each for each in about.iter() if local(each) == "item"}
    order = [items.get(each.get("idref")) for each in about.iter() if local(each) == "itemref"]
    return [
        inside(folder, item.get("href", ""))
        for item in order
        if item is not None and item.get("media-type") in _PAGES and "nav" not in item.get("properties", "").split()
    ]


def _locked(root: Any) -> bool:
    ways = [each.get("Algorithm", "") for each in root.iter() if local(each) == "EncryptionMethod"]
    return any(way not in _FONTS for way in ways)


def _decoded(data: bytes) -> str:
    """XHTML in UTF-8 or UTF-16, as the standard requires."""
    wide = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    return data.decode("utf-16" if wide else "utf-8-sig", "replace")
