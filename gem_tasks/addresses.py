"""Where requests may never go: addresses at which a cloud hands out the credentials of a machine to whoever asks there.

A name is looked up once, what it leads to is checked, and the connection is made to exactly that: a name that leads
somewhere else a moment later (DNS rebinding) changes nothing.

| where                            | who                                                              |
|----------------------------------|------------------------------------------------------------------|
| 169.254.0.0/16, fe80::/10        | nearly all                                                       |
| fd00:ec2::/32, fd20:ce::/32      | AWS and Google over IPv6                                         |
| fd00:42::/32, fd00:c1::/32       | Scaleway and Oracle over IPv6                                    |
| 100.100.100.200, 192.0.0.192     | Alibaba, Oracle                                                  |
| 168.63.129.16                    | Azure's wire server                                              |
| multicast, 240.0.0.0/4, 192.0.0.0/24 | no server has such an address                                |

The same inside an IPv6 address: mapped, translated, compatible, NAT64 of any length, 6to4, Teredo, ISATAP.
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
"""RFC 8215: whoever runs it says how long its prefix is."""
_ISATAP = (0x00005EFE, 0x02005EFE)
_LOW = 0xFFFFFFFF


class ForbiddenAddressError(OSError):
    """A name that leads to one of them."""


def forbidden(address: str) -> bool:
    """Whether an IP address is one of them, itself or by what is embedded in it."""
    found = ip_address(address.strip("[]").partition("%")[0])
    return any(each in network for each in (found, *_embedded(found)) for network in _CLOUDS)


def forbidden_name(host: str) -> bool:
    """Whether a name is one of them wherever it leads: inside of a cloud it leads there."""
    name = host.lower().rstrip(".")
    return name in _NAMES or name.endswith(tuple(f".{each}" for each in _NAMES))


def resolved(host: str, port: int | None = None) -> list[tuple[Any, ...]]:
    """What `getaddrinfo` finds for a connection, checked.

    Raises:
        OSError: the name leads nowhere, or where nothing is asked.
    """
    return checked(host, socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))


async def resolved_async(host: str, port: int | None) -> list[tuple[Any, ...]]:
    """The same for an event loop."""
    loop = asyncio.get_running_loop()
    return checked(host, await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM))


def checked(host: str, found: list[Any]) -> list[tuple[Any, ...]]:
    """Addresses of a host as they are; one that is forbidden makes all of them so.

    Raises:
        ForbiddenAddressError: one is.
    """
    if forbidden_name(host) or any(forbidden(str(each[4][0])) for each in found):
        raise ForbiddenAddressError(f"{host} resolves to an address where cloud machines get their credentials")
    return found


def _embedded(address: IPv4Address | IPv6Address) -> Iterator[IPv4Address]:
    """IPv4 addresses inside."""
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
    if address in _LOCAL_NAT64:  # RFC 6052, 2.2: behind a prefix of so many bits, around an octet of zeros
        without = (number >> 64 << 56) | (number & ((1 << 56) - 1))
        yield from (IPv4Address(without >> (88 - length) & _LOW) for length in (48, 56, 64))
