"""Reads sitemaps, sitemap indexes and lists of URLs, as a stream and within bounds."""

import re
import zlib
from collections.abc import Iterator
from typing import IO, Any, NamedTuple, cast

from lxml import etree as _untyped_etree  # pyright: ignore[reportAttributeAccessIssue, reportUnknownVariableType]

from gem_tasks.corpus.sources.web.wire import Body

etree = cast("Any", _untyped_etree)

MOST_BYTES = 64 << 20
"""Of a sitemap, unpacked; the protocol allows 50 MB."""
MOST_URLS = 50_000
"""Of a sitemap, as in the protocol."""
_MOST_ELEMENTS = 20_000
"""Of an entry, or between two. Every element takes a hundred bytes, and a page with a thousand pictures has 7,000."""
_PIECE = 256 << 10
_GZIP = b"\x1f\x8b"
_ROOTS = frozenset({"urlset", "sitemapindex"})
_OTHER = "it is XML, but not a sitemap"
_XML = re.compile(rb"\s*+(?:\xef\xbb\xbf)?\s*+<")


class SitemapError(Exception):
    """The rest of a sitemap cannot be read: it is damaged, so its pages are unknown."""


class NotSitemapError(Exception):
    """The rest of a document does not belong to a sitemap: it has no pages that GEM lists."""


class Entry(NamedTuple):
    """A page, or another sitemap."""

    loc: str
    lastmod: str = ""
    sitemap: bool = False


def read_sitemap(body: IO[bytes]) -> Iterator[Entry]:
    """The entries of a sitemap or an index, in XML or with one URL per line, perhaps as gzip.

    Raises:
        SitemapError: it is damaged, or too large. Earlier entries have been yielded.
        NotSitemapError: it is XML of another kind, or has too many entries. Earlier entries have been yielded.
    """
    plain = _unpacked(body)
    try:
        yield from _first(plain)
    finally:
        plain.close()


def _first(plain: IO[bytes]) -> Iterator[Entry]:
    entries = _of_xml(plain) if _XML.match(plain.read(64)) else _of_lines(plain)
    plain.seek(0)
    for number, entry in enumerate(entries):
        if number >= MOST_URLS:
            raise NotSitemapError(f"it has more than {MOST_URLS} entries; GEM reads the first ones")
        yield entry


def _unpacked(body: IO[bytes]) -> IO[bytes]:
    magic = body.read(2)
    body.seek(0)
    if magic != _GZIP:
        return body
    plain, unpack, size = Body(), zlib.decompressobj(31), 0
    try:
        while packed := body.read(_PIECE):
            while packed and not unpack.eof:
                piece = unpack.decompress(packed, _PIECE)
                packed, size = unpack.unconsumed_tail, size + len(piece)
                if size > MOST_BYTES:
                    raise SitemapError(f"it unpacks to more than {MOST_BYTES >> 20} MB")
                plain.write(piece)
    except zlib.error as error:
        raise SitemapError(f"it is not gzip: {error}") from error
    if not unpack.eof:
        raise SitemapError("it is cut off")
    plain.file.seek(0)
    return plain.file


def _of_xml(body: IO[bytes]) -> Iterator[Entry]:
    """The parser fetches nothing and expands no entity."""
    parser = etree.iterparse(
        body,
        events=("end",),
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        known, elements = False, 0
        for _, element in parser:
            name, elements = _name(element), elements + 1
            if elements > _MOST_ELEMENTS:
                raise _too_many(element)
            if name in ("url", "sitemap"):
                fields = {_name(child): (child.text or "").strip() for child in element}
                if fields.get("loc"):
                    yield Entry(fields["loc"], fields.get("lastmod", "")[:40], name == "sitemap")
                _forget(element)
                elements = 0
            known = known or name in _ROOTS
    except etree.XMLSyntaxError as error:
        raise SitemapError(f"it is not XML: {str(error)[:150]}") from error
    if not known:
        raise NotSitemapError(_OTHER)


def _forget(element: Any) -> None:
    """Frees the entry and everything before it."""
    element.clear()
    for each in (element, *element.iterancestors()):
        while (parent := each.getparent()) is not None and (earlier := each.getprevious()) is not None:
            parent.remove(earlier)


def _too_many(element: Any) -> Exception:
    if _name(element.getroottree().getroot()) in _ROOTS:
        return SitemapError(f"more than {_MOST_ELEMENTS} elements of it belong to no entry, or to one")
    return NotSitemapError(_OTHER)


def _name(element: Any) -> str:
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def _of_lines(body: IO[bytes]) -> Iterator[Entry]:
    for line in body:
        text = line.decode("utf-8-sig", "replace").strip()
        if text and not text.startswith("#"):
            yield Entry(text)
