"""Hosts that may be called."""

from ipaddress import ip_address
from urllib.parse import urlsplit

from gem_tasks.errors import UserError


def require_named(url: str | None, live_host: str | None) -> None:
    """Refuses an address on another machine unless its host is named a second time.

    Raises:
        UserError: it is one.
    """
    if url is None or not url.startswith(("http://", "https://")):
        return
    try:
        host = (urlsplit(url).hostname or "").lower()
    except ValueError:
        raise UserError("The address is not a URL", "Write http://host:port/prefix.") from None
    if not _is_here(host) and host != (live_host or "").lower():
        raise UserError(f"{host} is another machine", f"Add --live-host {host} if it may be called.")


def _is_here(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
