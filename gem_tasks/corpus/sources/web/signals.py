"""What a page says about its use: directives against indexing and training, and its canonical address. Linear time."""

import re
from collections.abc import Iterator, Mapping
from typing import IO, NamedTuple

from gem_tasks.corpus.sources.web.wire import PRODUCT

_HEAD_BYTES = 256 << 10
_TAG = re.compile(r"<(meta|link)\b([^<>]*+)>", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"""(?<![a-zA-Z:-])([a-zA-Z:-]++)\s*+=\s*+(?:"([^"]*+)"|'([^']*+)'|([^\s"'>]++))""")
_AGAINST = frozenset({"noindex", "none", "noai", "noml"})
_WITH_VALUE = frozenset({"unavailable_after", "max-snippet", "max-image-preview", "max-video-preview"})
_AGENTS = frozenset({PRODUCT, "robots", "*"})


class Signals(NamedTuple):
    """What a page says."""

    against: str = ""
    """Why it must not be read, such as `noindex`; empty if it may."""
    canonical: str = ""
    """The address it names as its own, as written."""


def signals_of(headers: Mapping[str, str], body: IO[bytes], *, is_html: bool) -> Signals:
    """Reads the headers and, of HTML, the head; leaves the body at its beginning."""
    against = next(_of_header(headers.get("X-Robots-Tag", "")), "")
    if headers.get("TDM-Reservation", "").strip() == "1":
        against = against or "tdm-reservation"
    found = Signals(against)
    if is_html:
        found = _of_head(body.read(_HEAD_BYTES).decode("utf-8", "replace"), found)
        body.seek(0)
    return found


def _of_header(value: str) -> Iterator[str]:
    """Directives for GEM; a name before a colon limits those that follow to that crawler."""
    agent = "*"
    for part in value.lower().split(","):
        name, colon, rest = part.partition(":")
        if colon and name.strip() not in _WITH_VALUE:
            agent, part = name.strip(), rest
        if agent in _AGENTS and part.strip() in _AGAINST:
            yield part.strip()


def _of_head(text: str, found: Signals) -> Signals:
    for kind, inside in _TAG.findall(_head(text)):
        attributes = {name.lower(): a or b or c for name, a, b, c in _ATTRIBUTE.findall(inside)}
        if kind.lower() == "link":
            if "canonical" in attributes.get("rel", "").lower().split() and not found.canonical:
                found = found._replace(canonical=attributes.get("href", ""))
            continue
        name, content = attributes.get("name", "").lower(), attributes.get("content", "").lower()
        stops = name in _AGENTS and _AGAINST & {part.strip() for part in content.split(",")}
        if stops and not found.against:
            found = found._replace(against=min(stops))
        if name == "tdm-reservation" and content.strip() == "1" and not found.against:
            found = found._replace(against=name)
    return found


def _head(text: str) -> str:
    """The head without comments."""
    first, *others = text.split("<!--")
    text = first + "".join(part.partition("-->")[2] for part in others)
    end = re.search(r"<body\b|</head", text, re.IGNORECASE)
    return text[: end.start()] if end else text
