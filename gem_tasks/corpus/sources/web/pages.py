"""Turns the pages of a web source into objects: fetched if they changed, kept while the site fails, with a reason if
they may not be read.

| the site says | the page |
|---|---|
| 304, or the same body as before | is unchanged |
| 404, 410 | is gone; if it never existed, it is `unreadable` |
| 301, 308 to a page that the source does not include | has `moved` |
| robots.txt, `noindex`, `noai`, `tdm-reservation` | is `disallowed` |
| a canonical address, or a redirect to a page, that the source lists as well | has `moved` |
| a type without a reader | is `unsupported` |
| anything else: 5xx, 401, 403, 429, no answer in time | stays as it was; if it is new, it is `unreadable` |
"""

import logging
import time
from collections import Counter
from collections.abc import Container, Iterable
from hashlib import sha256
from io import BytesIO
from threading import Lock
from typing import IO, Any
from urllib.parse import urlsplit

from gem_tasks.corpus.sources.objects import SourceObject
from gem_tasks.corpus.sources.web.address import host, normal, origin
from gem_tasks.corpus.sources.web.kinds import charset, page_type
from gem_tasks.corpus.sources.web.signals import Signals, signals_of
from gem_tasks.corpus.sources.web.state import State, recorded, validator
from gem_tasks.corpus.sources.web.visitor import DisallowedError, RedirectError, Visitor
from gem_tasks.corpus.sources.web.wire import Answer, NoAnswerError, NotAllowedError, TooLargeError, Wanted
from gem_tasks.domain.corpus import IngestReason
from gem_tasks.domain.web_access import WebAccess
from gem_tasks.errors import first_line

logger = logging.getLogger(__name__)

_GONE = frozenset({404, 410})
_SAME_TEXT = "="
"""Begins the digest of a page that names another one as its canonical address, which follows."""
_LARGE, _UNREAD = "large", "unread"
_DAY_S = 86400
_AGAINST_IN_HEADER = "!"
"""Begins the digest of a page whose headers forbid its use."""
_WARNED = 5


class Pages:
    """Visits pages; threads share it.

    Args:
        visitor: fetches pages.
        access: the deployment's settings.
        hosts: hosts to which redirects may lead, in addition to the page's own.
        listed: the source's pages.

    Attributes:
        counts: numbers of pages by what happened to them.
    """

    def __init__(self, visitor: Visitor, access: WebAccess, hosts: Iterable[str], listed: Container[str]) -> None:
        self._visitor, self._access, self._hosts, self._listed = visitor, access, frozenset(hosts), listed
        self._lock, self._canonical = Lock(), dict[str, str]()
        self.counts = Counter[str]()

    def visit(self, url: str, lastmod: str, known: str | None) -> SourceObject | None:
        """The page as an object; None if it is gone.

        Args:
            url: the page.
            lastmod: as in the sitemap.
            known: its recorded version; None or empty if it was not read.
        """
        if self._is_closed(url):
            return self._failed(url, known or "", "GEM_SOURCE_ROOTS permits only other parts of its site")
        try:
            return self._visited(url, lastmod, known or "", self._usable(url, known or ""))
        except Exception as error:
            logger.exception("cannot fetch %r", url)
            return self._failed(url, known or "", f"{type(error).__name__}: {first_line(error)}")

    def _usable(self, url: str, known: str) -> State:
        """The recorded state; none for a duplicate of a page that the source no longer lists."""
        state = recorded(known) or State()
        if state.digest.startswith(_SAME_TEXT):
            if state.digest[1:] not in self._listed:
                return State()
            self._points(url, state.digest[1:])
        return state

    def _visited(self, url: str, lastmod: str, known: str, state: State) -> SourceObject | None:
        if state.current(lastmod) or _lately_too_large(state):
            return self._same(url, known, "not requested")
        try:
            wanted = Wanted(self._access.most_bytes, state.conditions, _reads)
            found = self._visitor.get(url, wanted, self._permits(url))
        except DisallowedError as error:
            return self._refused(url, State("robots"), IngestReason.DISALLOWED, str(error))
        except RedirectError as error:
            if error.forever:
                return self._refused(url, State("moved"), IngestReason.MOVED, str(error))
            return self._failed(url, known, str(error))
        except TooLargeError as error:
            version = State(_LARGE, *_validators(error.headers), lastmod, int(time.time()))
            return self._refused(url, version, IngestReason.TOO_LARGE, str(error))
        except (NoAnswerError, NotAllowedError) as error:
            return self._failed(url, known, str(error))
        if found.status == 200:
            return self._read(url, lastmod, known, state, found)
        if found.status == 304 and state.conditions:
            return self._unchanged(url, lastmod, known, state, found)
        if found.status in _GONE and recorded(known):
            self._count("gone")
            return None
        return self._failed(url, known, f"the site answers {found.status}")

    def _unchanged(self, url: str, lastmod: str, known: str, state: State, found: Answer) -> SourceObject | None:
        """A page with the same body, whose headers may forbid its use since, or no longer."""
        against = signals_of(found.headers, found.body, is_html=False).against
        was_against = state.digest.startswith(_AGAINST_IN_HEADER)
        if was_against and not against:
            return self._visited(url, lastmod, known, State())
        if against and not was_against:
            version = state._replace(digest=_AGAINST_IN_HEADER + against)
            return self._refused(url, version, IngestReason.DISALLOWED, f"the site says {against}")
        return self._same(url, known, "unchanged")

    def _read(self, url: str, lastmod: str, known: str, state: State, found: Answer) -> SourceObject:
        kind = page_type(found.headers.get("Content-Type", ""), found.url)
        said = signals_of(found.headers, found.body, is_html=kind == "text/html")
        digest = _digest(found.body) if kind else _UNREAD
        version = State(digest, *_validators(found.headers), lastmod, int(time.time()))
        if other := self._other(url, found, said):
            version = version._replace(digest=_SAME_TEXT + other)
        if against := signals_of(found.headers, found.body, is_html=False).against:
            version = version._replace(digest=_AGAINST_IN_HEADER + against)
        if version[:3] == state[:3]:
            found.body.close()
            return self._same(url, known, "unchanged")
        if kind is None:
            shown = found.headers.get("Content-Type", "no type")[:100]
            return self._refused(url, version, IngestReason.UNSUPPORTED, f"GEM does not read {shown}", found)
        if said.against:
            return self._refused(url, version, IngestReason.DISALLOWED, f"the page says {said.against}", found)
        if other:
            return self._refused(url, version, IngestReason.MOVED, f"its text is at {other}", found)
        self._count("read")
        about = {"url": found.url} if found.url != url else {}
        label = charset(found.headers.get("Content-Type", ""))
        opener = _opener(found.body)
        return SourceObject(url, version.text, found.size, kind, "", open=opener, charset=label, about=about)

    def _other(self, url: str, found: Answer, said: Signals) -> str:
        """Another listed page that this one says it is; empty if there is none.

        The start page does not count: some sites name it as the canonical address of every page. Neither does a page
        that points elsewhere itself: one of two that name each other is kept.
        """
        canonical = normal(said.canonical, found.url) if said.canonical else None
        for other in (canonical, found.url):
            if other and other != url and other in self._listed and urlsplit(other).path != "/":
                return other if self._points(url, other) else ""
        return ""

    def _points(self, url: str, other: str) -> bool:
        with self._lock:
            if other in self._canonical:
                return False
            self._canonical[url] = other
            return True

    def _permits(self, url: str) -> Any:
        def permitted(target: str) -> bool:
            return self._below_roots(target) and (host(target) == host(url) or host(target) in self._hosts)

        return permitted

    def _is_closed(self, url: str) -> bool:
        """Whether roots name other parts of its site only. The wire, which may connect to the site, knows no paths."""
        site = origin(url) + "/"
        return not self._below_roots(url) and any(f"{each}/".startswith(site) for each in self._access.roots)

    def _below_roots(self, url: str) -> bool:
        roots = self._access.roots
        return not roots or any(url == each or url.startswith(each.rstrip("/") + "/") for each in roots)

    def _same(self, url: str, known: str, how: str) -> SourceObject:
        self._count(how)
        return SourceObject(url, known, 0, "text/html", "", open=BytesIO)

    def _refused(
        self, url: str, version: State, reason: IngestReason, detail: str, found: Answer | None = None
    ) -> SourceObject:
        if found:
            found.body.close()
        self._count(str(reason))
        return SourceObject(url, version.text, 0, "text/html", "", open=BytesIO, refusal=(reason, detail))

    def _failed(self, url: str, known: str, why: str) -> SourceObject:
        """A page of unknown state: as recorded, otherwise with the reason, to be tried again."""
        if recorded(known):
            self._count("not read this time, kept as they were")
            if self.counts["not read this time, kept as they were"] <= _WARNED:
                logger.warning("%s is kept as it was: %s", url, why)
            return SourceObject(url, known, 0, "text/html", "", open=BytesIO)
        self._count("unreadable")
        return SourceObject(url, "", 0, "text/html", "", open=BytesIO, refusal=(IngestReason.UNREADABLE, why))

    def _count(self, what: str) -> None:
        with self._lock:
            self.counts[what] += 1


def _reads(content_type: str, url: str) -> bool:
    return page_type(content_type, url) is not None


def _lately_too_large(state: State) -> bool:
    """Whether a page without validators, which would be transferred again, was too large within a day."""
    return state.digest == _LARGE and not state.conditions and time.time() - state.read_at < _DAY_S


def _validators(headers: Any) -> tuple[str, str]:
    return validator(headers.get("ETag")), validator(headers.get("Last-Modified"))


def _digest(body: IO[bytes]) -> str:
    digest = sha256()
    while piece := body.read(1 << 20):
        digest.update(piece)
    body.seek(0)
    return digest.hexdigest()[:32]


def _opener(body: IO[bytes]) -> Any:
    def opened() -> IO[bytes]:
        body.seek(0)
        return body

    return opened
