"""Addresses that requests must never reach, because clouds provide a machine's credentials there to any caller.

GEM resolves a name once, checks the result, and connects to exactly that address, so a name that resolves differently
a moment later (DNS rebinding) has no effect.

| where                            | who                                                              |
|----------------------------------|------------------------------------------------------------------|
| 169.254.0.0/16, fe80::/10        | nearly all clouds                                                |
| fd00:ec2::/32, fd20:ce::/32      | AWS and Google over IPv6                                         |
| fd00:42::/32, fd00:c1::/32       | Scaleway and Oracle over IPv6                                    |
| 100.100.100.200, 192.0.0.192     | Alibaba, Oracle                                                  |
| 168.63.129.16                    | Azure's wire server                                              |
| multicast, 240.0.0.0/4, 192.0.0.0/24 | no server has such an address                                |

The same addresses inside an IPv6 address: mapped, translated, compatible, NAT64 of any length, 6to4, Teredo, ISATAP.
"""

import asyncio
import socket
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

_CLOUDS = tuple(
    map(
        ip_network,
        (
            "169.254.0.0/16", "fe80::/10", "fd00:ec2::/32", "fd20:ce::/32", "fd00:42::/32", "fd00:c1::/32",
            "100.100.100.200/32", "168.63.129.16/32", "192.0.0.0/24", "240.0.0.0/4", "224.0.0.0/4", "ff00::/8",
        ),
    )
)  # fmt: skip
_NAMES = ("metadata.google.internal", "metadata.goog", "metadata.tencentyun.com", "metadata.azure.internal")
_LAST = tuple(map(IPv6Network, ("64:ff9b::/96", "64:ff9b:1::/48", "::/96", "::ffff:0:0:0/96")))
"""NAT64, compatible, translated: the IPv4 address comes last."""
_LOCAL_NAT64 = IPv6Network("64:ff9b:1::/48")
"""RFC 8215: its operator chooses the length of the prefix."""
_ISATAP = (0x00005EFE, 0x02005EFE)
_LOW = 0xFFFFFFFF


class ForbiddenAddressError(OSError):
    """A name that resolves to a forbidden address."""


def forbidden(address: str) -> bool:
    """Whether an IP address, or one embedded in it, is forbidden."""
    found = ip_address(address.strip("[]").partition("%")[0])
    return any(each in network for each in (found, *_embedded(found)) for network in _CLOUDS)


def forbidden_name(host: str) -> bool:
    """Whether a name is forbidden regardless of its address, because it leads to the credentials inside a cloud."""
    name = host.lower().rstrip(".")
    return name in _NAMES or name.endswith(tuple(f".{each}" for each in _NAMES))


def resolved(host: str, port: int | None = None) -> list[tuple[Any, ...]]:
    """The results of `getaddrinfo` for a connection, checked.

    Raises:
        OSError: the name cannot be resolved, or resolves to a forbidden address.
    """
    return checked(host, socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))


def resolved_public(host: str, port: int | None = None) -> list[tuple[Any, ...]]:
    """Like `resolved`, for addresses that documents name: neither this machine nor a private network.

    Raises:
        OSError: the name cannot be resolved, or resolves to a forbidden or private address.
    """
    found = resolved(host, port)
    if not all(_public(str(each[4][0])) for each in found):
        raise ForbiddenAddressError(f"{host} is at a private address")
    return found


def _public(address: str) -> bool:
    found = ip_address(address.partition("%")[0])
    return all(each.is_global for each in (found, *_embedded(found)))


async def resolved_async(host: str, port: int | None) -> list[tuple[Any, ...]]:
    """Like `resolved`, for an event loop."""
    loop = asyncio.get_running_loop()
    return checked(host, await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM))


def checked(host: str, found: list[Any]) -> list[tuple[Any, ...]]:
    """Returns the addresses unchanged; one forbidden address makes all of them forbidden.

    Raises:
        ForbiddenAddressError: an address is forbidden.
    """
    if forbidden_name(host) or any(forbidden(str(each[4][0])) for each in found):
        raise ForbiddenAddressError(f"{host} resolves to an address at which clouds provide credentials")
    return found


def _embedded(address: IPv4Address | IPv6Address) -> Iterator[IPv4Address]:
    """IPv4 addresses embedded in an IPv6 address."""
    if isinstance(address, IPv4Address):
        return
    number = int(address)
    if address.ipv4_mapped:
        yield address.ipv4_mapped
    if address.sixtofour:
        yield address.sixtofour
    if address.teredo:
        yield from address.teredo
    if any(address in network for network in _LAST) or (number >> 32) & _LOW in _ISATAP:
        yield IPv4Address(number & _LOW)
    if address in _LOCAL_NAT64:  # RFC 6052, 2.2: after a prefix of that length, around an octet of zeros
        without = (number >> 64 << 56) | (number & ((1 << 56) - 1))
        yield from (IPv4Address(without >> (88 - length) & _LOW) for length in (48, 56, 64))
