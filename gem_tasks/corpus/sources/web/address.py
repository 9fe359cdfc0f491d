"""Addresses of web sources, and URLs in the one form that identifies a page.

`https://host/` reads the sitemaps that the site's robots.txt names, below its path; `sitemap+https://…` one sitemap; `urls+https://…`
or `urls+file:///…` a list with one URL per line. A fragment narrows the source: `#include=/guide/*&exclude=*/old/*`,
`#hosts=docs.example.org`.
"""

import re
from fnmatch import fnmatchcase
from typing import NamedTuple
from urllib.parse import parse_qsl, quote, urljoin, urlsplit, urlunsplit

from gem_tasks.errors import UserError

_PORTS = {"http": 80, "https": 443}
_SAFE = "/:@!$&'()*+,;=~-._%"
_FORMS = "Write https://HOST/, sitemap+https://HOST/sitemap.xml, urls+https://HOST/list.txt or urls+file:///list.txt."
_PARTS = ("include", "exclude", "hosts")
_BAD = re.compile(r"[\x00-\x20\x7f\\<>\"{}|^`]")


class WebSource(NamedTuple):
    """A parsed address."""

    form: str
    """`site`, `sitemap` or `urls`."""
    url: str
    """Of the site, sitemap or list; `file:///…` for a list on this machine."""
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    """Further hosts whose pages are read."""

    def wants(self, url: str) -> bool:
        """Whether the patterns admit a page. They match its path and query; a pattern without `*` is a beginning."""
        parts = urlsplit(url)
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        included = not self.include or any(_matches(path, each) for each in self.include)
        return included and not any(_matches(path, each) for each in self.exclude)


def is_web(source: str) -> bool:
    """Whether a source has the scheme of a web source."""
    scheme = source.partition("://")[0].lower()
    return scheme in ("http", "https", "sitemap+http", "sitemap+https", "urls+http", "urls+https", "urls+file")


def parse(source: str) -> WebSource:
    """Parses the address of a web source.

    Raises:
        UserError: it is not one, or its fragment has an unknown part.
    """
    address, _, narrowed = source.partition("#")
    form, plus, target = address.partition("+")
    if not plus or "://" in form:
        form, target = "site", address
    options = dict[str, list[str]]()
    for name, value in parse_qsl(narrowed, keep_blank_values=True):
        if name not in _PARTS or not value:
            raise UserError(f"{name!r} is not a part of a web source", f"After # write {', '.join(_PARTS)} with =.")
        options.setdefault(name, []).append(value)
    url = target if form == "urls" and target.startswith("file:///") else normal(target)
    if url is None:
        raise UserError(f"{address!r} is not the address of a web source: a host, without user and password", _FORMS)
    include = tuple(options.get("include", ()))
    if form == "site" and not include and (path := urlsplit(url).path) != "/":
        include = (path,)
    hosts = tuple(each.lower() for each in options.get("hosts", ()))
    return WebSource(form.lower(), url, include, tuple(options.get("exclude", ())), hosts)


def normal(url: str, base: str = "") -> str | None:
    """A URL in the form that identifies its page; None if it is not the URL of a page.

    Args:
        url: as written, perhaps relative.
        base: URL of the page that names it.
    """
    try:
        parts = urlsplit(urljoin(base, url.strip()) if base else url.strip())
        host, port = (parts.hostname or "").rstrip("."), parts.port
        host = host if host.isascii() else host.encode("idna").decode()
    except (ValueError, UnicodeError):
        return None
    if parts.scheme not in _PORTS or not host or parts.username or parts.password is not None or _BAD.search(host):
        return None
    netloc = f"[{host}]" if ":" in host else host
    if port is not None and port != _PORTS[parts.scheme]:
        netloc += f":{port}"
    path = _without_dots(_quoted(parts.path)) or "/"
    return urlunsplit((parts.scheme, netloc, path, _quoted(parts.query, "?"), ""))


def origin(url: str) -> str:
    """Scheme, host and port of a normal URL: what robots.txt and politeness apply to."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def host(url: str) -> str:
    """Host and, if it is unusual, port of a normal URL."""
    return urlsplit(url).netloc


def _quoted(text: str, more: str = "") -> str:
    return quote(text, safe=_SAFE + more, encoding="utf-8", errors="surrogatepass")


def _without_dots(path: str) -> str:
    kept: list[str] = []
    for part in path.split("/"):
        if part == "..":
            kept[1:] = kept[1:-1]
        elif part != ".":
            kept.append(part)
    ended = "/" if path.rpartition("/")[2] in (".", "..") else ""
    return "/".join(kept).rstrip("/") + ended if ended else "/".join(kept)


def _matches(path: str, pattern: str) -> bool:
    return fnmatchcase(path, pattern) if "*" in pattern else path.startswith(pattern)
