"""Checks which servers a run may name: users who start runs must not send GEM's keys or requests to arbitrary hosts.

URLs are compared as clients read them, and clients differ. So GEM refuses a URL that can be read in two ways: with a
backslash, with blanks or control characters, with an escaped or a climbing dot, with a user name, with a host that two
rules for international names write in two ways (IDNA 2003 and 2008), with a path that is not of plain ASCII.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import SplitResult, unquote, urlsplit

import httpx

from gem_tasks.addresses import ForbiddenAddressError, forbidden_name, resolved
from gem_tasks.errors import UserError
from gem_tasks.redaction import shown_url

_PORTS = {"http": 80, "https": 443}
_ODD = re.compile(r"[\s\\\x00-\x20\x7f<>\"{}|^`#]")
_HOST = re.compile(r"[a-z0-9._-]+|\[[0-9a-f:.]+\]")
_ESCAPES = 5
"""Layers of percent-encoding to undo; a path with more is refused."""


class _Normal(NamedTuple):
    """The parts of a URL that are compared."""

    scheme: str
    host: str
    port: int
    path: tuple[str, ...]


def admit(url: str, allowed: Sequence[str] = ()) -> str:
    """Returns the URL if runs may call it.

    Args:
        url: URL of an OpenAI-compatible server.
        allowed: URLs below which it must be; none: any URL except those that provide a cloud machine's credentials.

    Raises:
        UserError: the run may not call it, or the URL is invalid.
    """
    normal = _normal(url)
    if normal is None:
        raise UserError(
            f"{shown_url(url)!r} is not the URL of a server", "Give http(s)://host[:port]/v1, without a key in it."
        )
    if allowed and not any(_below(normal, prefix) for prefix in allowed):
        raise UserError(
            f"{shown_url(url)} is not an endpoint that runs may call",
            f"GEM_EVAL_ENDPOINTS allows: {' '.join(map(shown_url, allowed))}",
        )
    if _hands_out_credentials(normal):
        raise UserError(
            f"{shown_url(url)} is an address at which clouds provide credentials",
            "Give the URL of the model's server.",
        )
    return url


def _below(one: _Normal, prefix: str) -> bool:
    """Whether scheme, host and port are the same, and the path is below the prefix."""
    other = _normal(prefix)
    return other is not None and one[:3] == other[:3] and one.path[: len(other.path)] == other.path


def _normal(url: str) -> _Normal | None:
    """The parts of a URL that every client reads in the same way; None if it is ambiguous or invalid."""
    if _ODD.search(url):
        return None
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    host, path = _host(parts), _path(parts.path)
    if parts.scheme not in _PORTS or "@" in parts.netloc or not host or path is None or port == 0:
        return None
    return _Normal(parts.scheme, host, port or _PORTS[parts.scheme], path)


def _host(parts: SplitResult) -> str | None:
    """The host in lower case, with international names in their DNS form."""
    bracketed = "[" in parts.netloc
    try:
        name = (parts.hostname or "").encode("idna").decode().lower().removesuffix(".")
        if not parts.netloc.isascii() and name != httpx.URL(parts.geturl()).raw_host.decode().removesuffix("."):
            return None
    except (UnicodeError, httpx.InvalidURL):
        return None
    whole = f"[{name}]" if bracketed else name
    return whole if _HOST.fullmatch(whole) else None


def _path(path: str) -> tuple[str, ...] | None:
    """The path's segments, unescaped; None if one is `..` or `.`, or hides another path."""
    for _ in range(_ESCAPES):
        plain = unquote(path)
        if plain == path:
            break
        path = plain
    else:
        return None
    names = path.strip("/").split("/")
    if not path.isascii() or "%" in path or path.startswith("//") or _ODD.search(path):
        return None
    if any(name.partition(";")[0] in (".", "..") or not name for name in names if path.strip("/")):
        return None
    return tuple(names) if path.strip("/") else ()


def _hands_out_credentials(normal: _Normal) -> bool:
    """Whether the host has a forbidden address. An unknown name fails later in the client, which checks again."""
    host = normal.host.strip("[]")
    try:
        return forbidden_name(host) or not resolved(host, normal.port)
    except ForbiddenAddressError:
        return True
    except (OSError, UnicodeError):
        return False
