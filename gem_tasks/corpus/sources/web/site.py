"""Lists the pages of a web source in the order of their URLs, a window of pages at a time."""

import logging
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from io import BytesIO
from itertools import chain
from math import inf
from queue import Empty, SimpleQueue

from gem_tasks.corpus.sources.objects import SourceObject
from gem_tasks.corpus.sources.web.address import host, parse
from gem_tasks.corpus.sources.web.collect import Collected, unlisted
from gem_tasks.corpus.sources.web.pages import Pages
from gem_tasks.corpus.sources.web.visitor import Visitor
from gem_tasks.corpus.sources.web.wire import Wire
from gem_tasks.domain.corpus import IngestReason
from gem_tasks.domain.web_access import WebAccess
from gem_tasks.errors import UserError

logger = logging.getLogger(__name__)

WINDOW = 64
"""Pages that are fetched together; their bodies wait in memory or in temporary files."""
_THREADS = 16
Known = Callable[[Sequence[str]], Mapping[str, str]]
"""Returns the recorded versions of pages, by URL."""


def nothing_known(_urls: Sequence[str]) -> Mapping[str, str]:
    """For a listing that compares with no earlier one."""
    return {}


def has_pages(source: str, access: WebAccess) -> bool:
    """Whether the source lists any page; fetches none.

    Raises:
        UserError: its sitemap or list cannot be read.
    """
    with closing(Wire(access)) as wire:
        collected = Collected(Visitor(access, wire), parse(source))
        if next(collected.pages(), None):
            return True
        for url, why in collected.broken.items():
            raise unlisted(url, why)
        return False


def list_pages(
    source: str, after: str, access: WebAccess, known: Known = nothing_known, room: float = inf
) -> Iterator[SourceObject]:
    """The pages of a web source after `after`. Pages that are gone are left out; each object is to be opened once.

    Args:
        source: its address.
        after: a URL.
        access: the deployment's settings.
        known: the recorded versions of pages.
        room: number of pages without a recorded version to fetch; the next one is listed without being fetched.

    Raises:
        UserError: a sitemap or the list cannot be read; from the start, or after all other pages.
    """
    with closing(Wire(access)) as wire:
        web, visitor = parse(source), Visitor(access, wire)
        collected = Collected(visitor, web)
        found = dict(collected.pages())
        notes = {url: _noted(url, what) for url, what in collected.notes.items() if url not in found}
        hosts = {host(url) for url in found} if web.form == "urls" else {host(web.url)}
        pages = Pages(visitor, access, hosts | set(web.hosts), found)
        urls = sorted(url for url in chain(found, notes) if url > after)  # URLs are ASCII
        with ThreadPoolExecutor(_THREADS, thread_name_prefix="web") as pool:
            for start in range(0, len(urls), WINDOW):
                window = urls[start : start + WINDOW]
                versions = known(window)
                work = {url: (found[url], versions.get(url)) for url in window if url in found}
                room, beyond = _within(work, room)
                visited = _visited(pool, pages, work, access.per_host) | notes | beyond
                yield from (item for url in window if (item := visited.get(url)))
        _report(source, wire, pages)
    for url, why in collected.broken.items():
        fix = "GEM read all other pages and retired none. The next run tries it again."
        raise UserError(f"{url} cannot be read to its end ({why})", fix)


def _within(work: dict[str, tuple[str, str | None]], room: float) -> tuple[float, dict[str, SourceObject]]:
    """Removes new pages for which there is no room; returns the room that is left, and the first of them, unfetched."""
    new = [url for url, (_, version) in work.items() if version is None]
    beyond = new[max(0, int(min(room, len(new)))) :]
    for url in beyond:
        del work[url]
    listed = {url: _unfetched(url) for url in beyond[:1] if room >= 0}
    return (room - len(new) if not beyond else -1), listed


def _visited(
    pool: ThreadPoolExecutor, pages: Pages, work: Mapping[str, tuple[str, str | None]], per_host: int
) -> dict[str, SourceObject | None]:
    """Visits pages, up to `per_host` of each site at once, so that a slow site holds up few threads."""
    queues = defaultdict[str, SimpleQueue[str]](SimpleQueue)
    for url in work:
        queues[host(url)].put(url)
    done = dict[str, SourceObject | None]()

    def empty(queue: SimpleQueue[str]) -> None:
        while url := _next(queue):
            done[url] = pages.visit(url, *work[url])

    running = [pool.submit(empty, queue) for queue in queues.values() for _ in range(per_host)]
    for each in running:
        each.result()
    return done


def _next(queue: SimpleQueue[str]) -> str | None:
    try:
        return queue.get_nowait()
    except Empty:
        return None


def _unfetched(url: str) -> SourceObject:
    refusal = IngestReason.UNREADABLE, "GEM did not fetch it: it is beyond the limit"
    return SourceObject(url, "", 0, "text/html", "", open=BytesIO, refusal=refusal)


def _noted(url: str, what: str) -> SourceObject:
    """What GEM leaves out of a sitemap, as an object with a reason."""
    return SourceObject(
        url, f"note {what}"[:300], 0, "application/xml", "", open=BytesIO, refusal=(IngestReason.UNSUPPORTED, what)
    )


def _report(source: str, wire: Wire, pages: Pages) -> None:
    counts = ", ".join(f"{number} {what}" for what, number in pages.counts.most_common())
    logger.info(
        "%s: %d requests, %d bytes of bodies; pages: %s", source, wire.requests, wire.received, counts or "none"
    )
