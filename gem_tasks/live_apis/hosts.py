"""Hosts that may be called."""

import re
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from gem_tasks.errors import UserError

_HTTP = re.compile(r"[\x00-\x20]*https?:", re.IGNORECASE)


def require_named(url: str | None, live_host: str | None) -> None:
    """Refuses an address on another machine unless its host is named a second time.

    Raises:
        UserError: it is one.
    """
    if url is None or not is_url(url):
        return
    host = parts_of(url).hostname or ""
    if not _is_here(host) and host != (live_host or "").lower():
        raise UserError(f"{host} is another machine", f"Add --live-host {host} if it may be called.")


def is_url(address: str) -> bool:
    """Whether an address is a URL, and not a command; as the clients read it, which ignore case and leading blanks."""
    return bool(_HTTP.match(address))


def parts_of(url: str) -> SplitResult:
    """The parts of a URL; its host is in lower case.

    Raises:
        UserError: it is none.
    """
    try:
        parts = urlsplit(url)
        if parts.port != 0:
            return parts
    except ValueError:
        pass
    raise UserError("The address is not a URL", "Write http://host:port/prefix.") from None


def _is_here(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
