"""How GEM visits web sites."""

from gem_tasks.domain.base import Value


class WebAccess(Value):
    """A deployment's settings for web sources."""

    contact: str = ""
    """Address of a page or mailbox of the operator, sent in the User-Agent."""
    delay_s: float = 0.25
    """Seconds between two requests to a site, unless its robots.txt asks for more."""
    per_host: int = 2
    """Most requests in flight to one site."""
    timeout_s: float = 60
    """Seconds for one page, from connecting to the last byte."""
    most_bytes: int = 20_000_000
    """Largest page, unpacked."""
    roots: tuple[str, ...] = ()
    """Entries of `GEM_SOURCE_ROOTS`. A site at a private address must be one of them."""
