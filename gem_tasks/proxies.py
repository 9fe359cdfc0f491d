"""Chooses the proxy of a request: one rule for every HTTP client of GEM.

`HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` have curl's meaning. Lower-case names take precedence; names
with a leading `GEM_` (`GEM_HTTPS_PROXY`) apply only to GEM and take precedence over both. A request to this machine is
always direct. Clients disagree about all of this (some crash on a CIDR block in NO_PROXY, some on a SOCKS proxy that is
not even needed), so GEM gives its clients a proxy, or none, and they never read the variables.
"""

import os
import re
import socket
from collections.abc import Iterator, Mapping
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

from gem_tasks.errors import UserError

_KINDS = ("http", "https", "all", "no")
_VARIABLES = frozenset(f"{kind}_proxy" for kind in _KINDS)
_HERE = "localhost,127.0.0.1,::1"
_PORTS = {"http": 80, "https": 443}


def proxy_for(url: str) -> str | None:
    """The proxy for a request to this URL, `http://…` or `https://…`; None: direct.

    Raises:
        UserError: the proxy is of a kind that GEM does not support.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or _PORTS.get(parts.scheme)
    except ValueError:  # the client will report the fault
        return None
    if is_loopback(host) or any(_matches(entry, host, port) for entry in re.split(r"[\s,]+", _value("no")) if entry):
        return None
    kind = parts.scheme if _value(parts.scheme) else "all"
    return _checked(kind, _value(kind), host) if _value(kind) else None


def is_loopback(host: str) -> bool:
    """Whether a host, as written in a URL, is this machine; 0.0.0.0 is an alias of it."""
    name, address = _plain(host), _address(host)
    if address is None:
        return name == "localhost" or name.endswith(".localhost")
    return address.is_loopback or address.is_unspecified


def without_proxies(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment for Airflow's own processes, whose HTTP clients only talk to each other on this machine.

    It contains the proxies under the names that only GEM reads.
    """
    kept = {name: value for name, value in environment.items() if name.lower() not in _VARIABLES}
    return kept | {f"GEM_{kind.upper()}_PROXY": _value(kind) for kind in _KINDS if _value(kind)}


def for_programs(environment: Mapping[str, str], *urls: str) -> dict[str, str]:
    """The environment for external programs: proxies under their usual names, none for this machine.

    Args:
        environment: the rest of their environment.
        urls: all addresses that such a program uses, if known: then its proxies are set for exactly these.

    Raises:
        UserError: one of these URLs has a proxy that GEM cannot use.
    """
    kept = {name: value for name, value in environment.items() if name.lower() not in _VARIABLES}
    found = dict(_exact(urls) if urls else _general())
    if found:
        found["no_proxy"] = ",".join(filter(None, (_HERE, found.get("no_proxy"))))
    return kept | found | {name.upper(): value for name, value in found.items()}


def shown(proxy: str) -> str:
    """A proxy for messages, without its password."""
    return f"{proxy.partition('://')[0]}://{proxy.rpartition('@')[2].rpartition('://')[2].rstrip('/')}"


def _exact(urls: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    straight: list[str] = []
    for url in urls:
        if proxy := proxy_for(url):
            yield f"{urlsplit(url).scheme}_proxy", proxy
        else:
            straight.append(urlsplit(url).hostname or "")
    yield "no_proxy", ",".join(straight)


def _general() -> Iterator[tuple[str, str]]:
    for kind in ("http", "https"):
        proxy = _value(kind) or _value("all")
        if proxy and _kind_of(proxy) in _PORTS:
            yield f"{kind}_proxy", proxy
    yield "no_proxy", _value("no")


def _value(kind: str) -> str:
    names = (f"GEM_{kind.upper()}_PROXY", f"{kind}_proxy", f"{kind.upper()}_PROXY")
    return next((os.environ[name].strip() for name in names if name in os.environ), "")


def _kind_of(proxy: str) -> str:
    return proxy.partition("://")[0].lower() if "://" in proxy else "http"


def _checked(kind: str, proxy: str, host: str) -> str:
    whole = proxy if "://" in proxy else f"http://{proxy}"
    fix = f"Set {kind.upper()}_PROXY to http://host:port, or name {host} in NO_PROXY."
    if _kind_of(whole) not in _PORTS:
        raise UserError(f"{shown(whole)} cannot be the proxy for {host}: GEM supports HTTP proxies only", fix)
    try:
        usable = urlsplit(whole).hostname and urlsplit(whole).port != 0
    except ValueError:
        usable = False
    if not usable:
        raise UserError(f"{kind.upper()}_PROXY is not the address of a proxy", fix)
    return whole


def _matches(entry: str, host: str, port: int | None) -> bool:
    """Whether an entry of NO_PROXY matches the host: `*`, a name (with all below it), an address, a block."""
    if entry == "*":
        return True
    entry = entry.partition("://")[2] or entry
    network = _network(entry)
    name, _, number = entry.rpartition(":")
    if network is None and name and number.isdigit():
        if int(number) != port:
            return False
        entry, network = name, _network(name)
    if network is not None:
        address = _address(host)
        return address is not None and address.version == network.version and address in network
    wanted, found = _plain(entry.removeprefix("*").strip(".")), _plain(host)
    return bool(wanted) and (found == wanted or found.endswith(f".{wanted}"))


def _network(text: str) -> IPv4Network | IPv6Network | None:
    address, slash, length = text.partition("/")
    try:
        return ip_network(address.strip("[]") + slash + length, strict=False)
    except ValueError:
        return None


def _address(host: str) -> IPv4Address | IPv6Address | None:
    """The address that a host is written as, in any of the forms that the system accepts (`127.1`)."""
    try:
        found = ip_address(host.strip("[]").partition("%")[0])
    except ValueError:
        try:
            found = IPv4Address(socket.inet_aton(host))
        except (OSError, ValueError):
            return None
    return getattr(found, "ipv4_mapped", None) or found


def _plain(name: str) -> str:
    """A host name in the form used for comparison: in lower case, as in DNS."""
    name = name.lower().rstrip(".")
    try:
        return name if name.isascii() else name.encode("idna").decode()
    except UnicodeError:
        return name
