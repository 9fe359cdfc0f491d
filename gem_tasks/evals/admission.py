"""Which servers a run may name: who starts one shall not send our keys, or questions, wherever they like."""

import socket
from collections.abc import Sequence
from ipaddress import IPv6Address, ip_address
from urllib.parse import urlsplit

from gem_tasks.errors import UserError

_ELSEWHERE = frozenset({"fd00:ec2::254", "100.100.100.200"})
"""Metadata of AWS over IPv6, and of Alibaba."""


def admit(url: str, allowed: Sequence[str] = ()) -> str:
    """The address, if it may be asked.

    Args:
        url: of an OpenAI-compatible server.
        allowed: what addresses have to begin with; none: anything but what hands out a cloud machine's credentials.

    Raises:
        UserError: it may not, or is no address.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
        raise UserError(f"{url!r} is no address of a server", "Give http(s)://host[:port]/v1, with the key elsewhere.")
    if allowed and not any(_below(url, prefix) for prefix in allowed):
        raise UserError(f"{url} is no endpoint that runs may ask", f"GEM_EVAL_ENDPOINTS allows: {' '.join(allowed)}")
    if any(_hands_out_credentials(address) for address in _addresses(parts.hostname)):
        raise UserError(f"{url} is an address at which clouds hand out credentials", "Name the server's own address.")
    return url


def _below(url: str, prefix: str) -> bool:
    """Same scheme and host, and a path below; dot segments climb, so they are below nothing."""
    one, other = urlsplit(url), urlsplit(prefix)
    if (one.scheme, one.netloc.casefold()) != (other.scheme, other.netloc.casefold()) or ".." in one.path.split("/"):
        return False
    return f"{one.path.rstrip('/')}/".startswith(f"{other.path.rstrip('/')}/")


def _hands_out_credentials(text: str) -> bool:
    """Link-local, where nearly all clouds have it, or one of the two that are not."""
    address = ip_address(text)
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return address.is_link_local or str(address) in _ELSEWHERE


def _addresses(host: str) -> set[str]:
    """Where the name leads; a name that leads nowhere is found out by whoever asks it."""
    try:
        return {str(found[4][0]).partition("%")[0] for found in socket.getaddrinfo(host, None)}
    except (OSError, UnicodeError):
        return set()
