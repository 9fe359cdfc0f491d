"""Visits pages as a polite client: obeys robots.txt, keeps the pace of each site, retries, follows redirects."""

import time
from collections.abc import Callable
from threading import Lock

from gem_tasks.corpus.sources.web.address import normal, origin
from gem_tasks.corpus.sources.web.pace import Pace, TiredError
from gem_tasks.corpus.sources.web.robots import Robots, read_robots
from gem_tasks.corpus.sources.web.wire import Answer, NoAnswerError, Wanted, Wire
from gem_tasks.domain.web_access import WebAccess

REDIRECTS = frozenset({301, 302, 303, 307, 308})
MOVED = frozenset({301, 308})
"""Redirects for good."""
_BUSY = frozenset({429, 503})
_ODD = frozenset({408, 425, 500, 502, 504})
_TRIES = 3
_MOST_REDIRECTS = 5


class DisallowedError(Exception):
    """robots.txt does not allow this page."""


class RedirectError(Exception):
    """A redirect that GEM does not follow.

    Attributes:
        forever: whether the server says that the page has moved for good.
    """

    def __init__(self, message: str, *, forever: bool) -> None:
        super().__init__(message)
        self.forever = forever


class Visitor:
    """Sites and what is known of them during one run; threads share it."""

    def __init__(self, access: WebAccess, wire: Wire, pace: Callable[[float], Pace] = Pace) -> None:
        self._access, self._wire, self._new_pace = access, wire, pace
        self._lock, self._locks = Lock(), dict[str, Lock]()
        self._paces, self._robots = dict[str, Pace](), dict[str, Robots]()

    def get(self, url: str, wanted: Wanted, permitted: Callable[[str], bool]) -> Answer:
        """Fetches a page, and the pages that it redirects to.

        Args:
            url: a normal URL.
            wanted: what to ask for.
            permitted: whether a redirect may be followed to a URL.

        Raises:
            DisallowedError: robots.txt does not allow it, or a page that it redirects to.
            RedirectError: it redirects to a page that is not permitted, or too often.
            NoAnswerError: the site does not answer, or not now.
            NotAllowedError: a forbidden address.
            TooLargeError: the page is larger.
        """
        return self._followed(url, wanted, permitted, self._require_allowed)

    def robots(self, url: str) -> Robots:
        """The rules of a URL's site, fetched once."""
        site = origin(url)
        with self._lock:
            lock = self._locks.setdefault(site, Lock())
        with lock:
            if site not in self._robots:
                self._robots[site] = read_robots(self._plain, site)
                self._pace(site).delay_s = max(self._access.delay_s, self._robots[site].delay_s)
        return self._robots[site]

    def _plain(self, url: str, most: int) -> Answer | None:
        try:
            return self._followed(url, Wanted(most), lambda _: True, lambda _: None)
        except RedirectError:
            return None

    def _require_allowed(self, url: str) -> None:
        robots = self.robots(url)
        if robots.rules is None:
            raise NoAnswerError(robots.why)
        if not robots.allows(url):
            raise DisallowedError(f"robots.txt does not allow {url}")

    def _followed(
        self, url: str, wanted: Wanted, permitted: Callable[[str], bool], require: Callable[[str], None]
    ) -> Answer:
        forever = True
        for _ in range(_MOST_REDIRECTS + 1):
            require(url)
            found = self._tried(url, wanted)
            if found.status not in REDIRECTS:
                return found
            forever = forever and found.status in MOVED
            target = normal(found.headers.get("Location", ""), url) if found.headers.get("Location") else None
            if target is None or not permitted(target):
                shown = target or "nowhere"
                raise RedirectError(
                    f"it redirects to {shown[:300]}, which this source does not include", forever=forever
                )
            url = target
        raise RedirectError(f"it redirects more than {_MOST_REDIRECTS} times", forever=False)

    def _tried(self, url: str, wanted: Wanted) -> Answer:
        pace = self._pace(origin(url))
        why = ""
        try:
            for attempt in range(1, _TRIES + 1):
                pace.turn()
                begun = time.monotonic()
                try:
                    found = self._wire.get(url, wanted)
                except NoAnswerError as error:
                    why = str(error)
                    pace.silent(time.monotonic() - begun + 1, why)
                    if attempt > 1:
                        break
                    continue
                if found.status not in _BUSY | _ODD:
                    pace.answered()
                    return found
                why = f"the site answers {found.status}"
                if found.status in _BUSY:
                    pace.busy(attempt, found.headers.get("Retry-After"), why)
                elif attempt > 1:
                    break
        except TiredError as error:
            raise NoAnswerError(str(error)) from error
        raise NoAnswerError(why)

    def _pace(self, site: str) -> Pace:
        with self._lock:
            return self._paces.setdefault(site, self._new_pace(self._access.delay_s))
