"""Collects the URLs of a web source from its sitemaps or its list, and notes what it leaves out."""

from collections.abc import Iterator
from typing import IO

from gem_tasks.corpus.sources.descend import open_file
from gem_tasks.corpus.sources.objects import why
from gem_tasks.corpus.sources.trees import real_path
from gem_tasks.corpus.sources.web.address import WebSource, host, normal, origin
from gem_tasks.corpus.sources.web.sitemaps import MOST_BYTES, Entry, NotSitemapError, SitemapError, read_sitemap
from gem_tasks.corpus.sources.web.visitor import DisallowedError, RedirectError, Visitor
from gem_tasks.corpus.sources.web.wire import NoAnswerError, NotAllowedError, TooLargeError, Wanted
from gem_tasks.errors import UserError

MOST_PAGES = 500_000
"""Of a source; their URLs are kept in memory."""
_MOST_SITEMAPS = 2_000
_MOST_DEPTH = 3
_URL_BYTES = 2000
_FAULTS = (DisallowedError, RedirectError, NoAnswerError, NotAllowedError, TooLargeError, OSError)


class Collected:
    """What sitemaps and lists have said so far.

    Attributes:
        notes: for each sitemap or list, what GEM leaves out of it.
        broken: sitemaps that could not be read to the end, so that missing pages mean nothing.
    """

    def __init__(self, visitor: Visitor, source: WebSource) -> None:
        self._visitor, self._source = visitor, source
        self._hosts = {host(source.url), *source.hosts}
        self.notes = dict[str, str]()
        self.broken = dict[str, str]()

    def pages(self) -> Iterator[tuple[str, str]]:
        """`(URL, lastmod)` of every page, in the order of the sitemaps; a URL may repeat.

        Raises:
            UserError: the only sitemap, or the list, cannot be read at all.
        """
        starts = self._starts()
        only = starts[0] if len(starts) == 1 else ""
        waiting, met = [(url, 1) for url in reversed(starts)], set(starts)
        pages = 0
        while waiting:
            sitemap, depth = waiting.pop()
            for entry in self._entries(sitemap, needed=sitemap == only):
                if entry.sitemap:
                    self._add(entry.loc, sitemap, depth, waiting, met)
                elif url := self._page(entry, sitemap):
                    pages += 1
                    if pages > MOST_PAGES:
                        self.broken[sitemap] = f"the source has more than {MOST_PAGES} pages"
                        return
                    yield url, entry.lastmod

    def _starts(self) -> list[str]:
        if self._source.form != "site":
            return [self._source.url]
        site = origin(self._source.url)
        try:
            robots = self._visitor.robots(self._source.url)
        except (NoAnswerError, NotAllowedError) as error:
            raise unlisted(site, str(error)) from error
        if robots.rules is None:
            raise unlisted(site, robots.why)
        named = [url for each in robots.sitemaps if (url := normal(each, site + "/"))]
        return list(dict.fromkeys(named)) or [f"{site}/sitemap.xml"]

    def _entries(self, url: str, *, needed: bool) -> Iterator[Entry]:
        try:
            body = self._body(url)
        except _FAULTS as error:
            if needed:
                raise unlisted(url, _cause(error)) from error
            self.broken[url] = _cause(error)
            return
        if body is None:
            if needed:
                raise unlisted(url, "there is no such page (404)")
            self._note(url, "there is no such sitemap (404)")
            return
        with body:
            try:
                yield from read_sitemap(body)
            except NotSitemapError as error:
                self._note(url, str(error))
            except SitemapError as error:
                self.broken[url] = str(error)
            except OSError as error:
                self.broken[url] = _cause(error)

    def _body(self, url: str) -> IO[bytes] | None:
        """The sitemap or list; None if it does not exist."""
        if url.startswith("file:///"):
            return open_file(str(real_path(url)))
        found = self._visitor.get(url, Wanted(MOST_BYTES), lambda target: host(target) in self._hosts)
        if found.status in (404, 410):
            return None
        if found.status != 200:
            raise NoAnswerError(f"the site answers {found.status}")
        return found.body

    def _add(self, loc: str, sitemap: str, depth: int, waiting: list[tuple[str, int]], met: set[str]) -> None:
        url = normal(loc, sitemap)
        if url in met:
            return
        if url is None or host(url) not in self._hosts:
            self._note(sitemap, f"GEM does not read the sitemap {loc[:200]}, which is elsewhere")
        elif depth >= _MOST_DEPTH or len(met) >= _MOST_SITEMAPS:
            self.broken[sitemap] = f"it nests deeper than {_MOST_DEPTH} sitemaps, or names more than {_MOST_SITEMAPS}"
        else:
            met.add(url)
            waiting.insert(0, (url, depth + 1))

    def _page(self, entry: Entry, sitemap: str) -> str | None:
        """The normal URL of a page that the source wants; notes the others' faults."""
        url = normal(entry.loc, "" if sitemap.startswith("file:") else sitemap)
        if url is None or len(url) > _URL_BYTES:
            self._note(sitemap, f"{entry.loc[:200]!r} is not the URL of a page")
            return None
        if self._source.form != "urls" and host(url) not in self._hosts:
            self._note(
                sitemap, f"{url[:200]} is on another host; `#hosts={host(url)}` after the source would include it"
            )
            return None
        return url if self._source.wants(url) else None

    def _note(self, where: str, what: str) -> None:
        """Keeps the first note of a sitemap and counts the others."""
        if where not in self.notes:
            self.notes[where] = what
            return
        first, _, more = self.notes[where].partition(" (and ")
        number = int(more.partition(" ")[0]) if more else 0
        self.notes[where] = f"{first} (and {number + 1} more)"


def _cause(error: Exception) -> str:
    return why(error) if isinstance(error, OSError) else str(error)


def unlisted(url: str, cause: str) -> UserError:
    """Nothing can be listed, and what to do."""
    fix = "Check the address, and that the site answers."
    if "private address" in cause:
        fix = f"If GEM may read it, name {origin(url)} in GEM_SOURCE_ROOTS, together with all other permitted places."
    if "robots.txt does not allow" in cause:
        fix = "Ask the site's operator, or choose another source."
    return UserError(f"{url} cannot be read ({cause})", fix)
