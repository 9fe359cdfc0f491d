"""robots.txt as RFC 9309 has it: which pages of a site GEM may fetch, and how often.

A site without one (4xx) allows everything; a site that fails to send one (5xx, no answer) allows nothing for now.
"""

from collections.abc import Callable
from typing import NamedTuple

from protego import Protego

from gem_tasks.corpus.sources.web.wire import PRODUCT, Answer, NoAnswerError, TooLargeError

_MOST_BYTES = 500 << 10
"""RFC 9309, 2.5: longer files may be cut there."""
_MOST_READ = 5 << 20
_MOST_DELAY_S = 60.0


class Robots(NamedTuple):
    """The rules of one site."""

    rules: Protego | None
    """None: no page may be fetched now."""
    why: str = ""
    """Why no page may be fetched now."""

    def allows(self, url: str) -> bool:
        """Whether a page may be fetched."""
        return self.rules is not None and self.rules.can_fetch(url, PRODUCT)

    @property
    def delay_s(self) -> float:
        """Seconds that the site wants between two requests."""
        if self.rules is None:
            return 0
        rate = self.rules.request_rate(PRODUCT)
        return max(self.rules.crawl_delay(PRODUCT) or 0, rate.seconds / max(1, rate.requests) if rate else 0)

    @property
    def sitemaps(self) -> list[str]:
        """URLs of sitemaps, as written."""
        return list(self.rules.sitemaps) if self.rules else []


def read_robots(get: Callable[[str, int], Answer | None], site: str) -> Robots:
    """Fetches the rules of a site; `get` returns None for a redirect that leads nowhere.

    Args:
        get: fetches a URL up to a size, following redirects.
        site: its origin.
    """
    try:
        found = get(f"{site}/robots.txt", _MOST_READ)
    except (NoAnswerError, TooLargeError) as error:
        return Robots(None, f"its robots.txt cannot be read ({error})")
    status = found.status if found else 404
    if status >= 500 or status == 429:
        return Robots(None, f"its robots.txt answers {status}")
    text = found.body.read(_MOST_BYTES).decode("utf-8-sig", "replace") if found and status == 200 else ""
    robots = Robots(Protego.parse(text))
    if robots.delay_s > _MOST_DELAY_S:
        return Robots(None, f"its robots.txt asks for {robots.delay_s:g} s between requests; GEM waits up to 60 s")
    return robots
