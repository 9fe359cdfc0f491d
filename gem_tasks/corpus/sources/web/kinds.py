"""Which formats of pages GEM reads, by the server's type and the URL's name."""

from urllib.parse import unquote, urlsplit

from gem_tasks.corpus.sources.objects import FORMATS, RECORDS, media_type
from gem_tasks.patterns import IgnoringCase

_SAME = {
    "application/xhtml+xml": "text/html",
    "text/x-markdown": "text/markdown",
    "application/x-pdf": "application/pdf",
}
_VAGUE = frozenset({"", "application/octet-stream", "binary/octet-stream"})
"""Types that servers send for names that they do not know; many do not know Markdown."""
_CHARSET = IgnoringCase(r"""charset\s*+=\s*+["']?\s*+([\w.:-]{1,40})""")


def page_type(content_type: str, url: str) -> str | None:
    """Media type of a page that GEM reads as one document; None if there is no reader for it."""
    claimed = content_type.partition(";")[0].strip().lower()
    named = media_type(unquote(urlsplit(url).path))
    vague = claimed in _VAGUE or (claimed == "text/plain" and named == ("text/markdown", ""))
    if vague and named and not named[1] and named[0] not in RECORDS:
        return named[0]
    kind = _SAME.get(claimed, claimed)
    return kind if kind in FORMATS.values() and kind not in RECORDS else None


def charset(content_type: str) -> str:
    """Label of the encoding that the server names; empty if it names none."""
    match = _CHARSET.search(content_type)
    return match[1] if match else ""
