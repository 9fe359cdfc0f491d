"""Finds secrets in variables, URLs, DSNs, headers and bodies of requests, as pairs of name and secret."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any, cast
from urllib.parse import parse_qsl, unquote, urlsplit

Named = tuple[str, str]

_SECRET = re.compile(
    r"SECRET|PASSW|PWD|TOKEN(?!S)|API[_-]?KEY|PRIVATE[_-]?KEY|ACCESS_KEY(?!_ID)|FERNET_KEY|ENCRYPTION_KEY|CREDENTIAL|[_-]KEY\Z|\AKEY\Z"
    r"|WEBHOOK|ALERT_URL|COOKIE|(?:\A|[_-])(?:AUTH|AUTHORIZATION|PAT|JWT|SAS|SIGNATURE)\Z"
)
"""Parts of a name in capitals that mark a secret."""
_NOT_SECRET = re.compile(
    r"_(FILE|PATH|DIR|FOLDER|(?<!WEBHOOK_)(?<!ALERT_)URL|ALGORITHM|EXPIR\w*|CMD|COMMAND\w*)\Z", re.IGNORECASE
)
_QUERY_SECRET = re.compile(r"key|token|secret|passw|pwd|sig|credential|auth|code|sas", re.IGNORECASE)
_PASSWORD = re.compile(r"\bpassword\s*=\s*('[^'\\]*+(?:\\.[^'\\]*+)*'|[^\s']+)", re.IGNORECASE)
_SCHEME = re.compile(r"\A(?:Bearer|Basic) ", re.IGNORECASE)
_HARMLESS_HEADERS = frozenset(
    {"accept", "accept-language", "content-type", "user-agent", "http-referer", "referer", "x-title",
     "anthropic-version", "anthropic-beta", "openai-beta", "openai-organization", "openai-project"}
)  # fmt: skip


def in_environment(env: Mapping[str, str]) -> Iterator[Named]:
    """Values of variables with a secret's name, and secret parts of URLs in all other variables."""
    for name, value in env.items():
        if "://" in value:
            yield from in_url(name, value)
        if "password" in value and "=" in value:
            yield from in_dsn(name, value)
        if value.startswith("{"):
            yield from _in_json(name, value)
        if _SECRET.search(name.upper()) and not _NOT_SECRET.search(name) and not value.startswith("/"):
            yield from ((name, found) for found in {value, _SCHEME.sub("", value)})


def in_url(name: str, url: str | None) -> Iterator[Named]:
    """The password, or a user name without one, and the parameters of query and fragment that are keys."""
    try:
        parts = urlsplit(url or "")
        user, _, place = parts.netloc.rpartition("@")
    except ValueError:
        return
    del place
    login, _, password = user.partition(":")
    secret = password or (login if user else "")
    yield from ((name, found) for found in {secret, unquote(secret)} if found)
    if parts.query and "=" not in parts.query:  # nothing but a key
        yield name, unquote(parts.query)
    for field, value in parse_qsl(f"{parts.query}&{parts.fragment}".replace(";", "&")):
        if value.startswith("{"):  # `__extra__` of a Connection
            yield from _in_json(name, value)
        elif _QUERY_SECRET.search(field):
            yield f"{name} ({field})", value


def in_dsn(name: str, dsn: str | None) -> Iterator[Named]:
    """The password of a DSN in either of libpq's forms."""
    yield from in_url(name, dsn)
    for match in _PASSWORD.finditer(dsn or ""):
        yield name, re.sub(r"\\(.)", r"\1", match[1].strip("'"))


def in_headers(name: str, headers: Mapping[str, str] | None) -> Iterator[Named]:
    """Values of headers that may be keys; without the scheme, if there is one."""
    for header, value in (headers or {}).items():
        if header.lower() not in _HARMLESS_HEADERS:
            yield f"{name} ({header})", value.rpartition(" ")[2]


def in_data(name: str, data: Any) -> Iterator[Named]:
    """Texts under names that say that they are secret, however deep in JSON."""
    waiting: list[Any] = [data]
    while waiting:
        found = waiting.pop()
        if isinstance(found, str) and found.startswith(("{", "[")):  # `extra` of a Connection is JSON in JSON
            with suppress(ValueError, RecursionError):
                waiting.append(json.loads(found))
        elif isinstance(found, dict):
            fields = cast("dict[Any, Any]", found)
            yield from _texts(name, fields.items())
            waiting += fields.values()
        elif isinstance(found, list):
            waiting += cast("list[Any]", found)


def _texts(name: str, fields: Iterable[tuple[Any, Any]]) -> Iterator[Named]:
    for field, value in fields:
        if isinstance(value, str) and _SECRET.search(str(field).upper()):
            yield from ((f"{name} ({field})", found) for found in {value, _SCHEME.sub("", value)})


def _in_json(name: str, text: str) -> Iterator[Named]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return
    yield from in_data(name, found)
