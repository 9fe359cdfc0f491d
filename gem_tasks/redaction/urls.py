"""Shows URLs without user names and keys."""

import re
from urllib.parse import urlsplit, urlunsplit

_USER = re.compile(r"(?<=://)[^\s/?#\"'<>]*@")
_QUERY = re.compile(r"(?<=[?&;])([A-Za-z0-9._~%+-]{1,64})=([^\s&;#\"'<>)\]]+)")
_SECRET_NAME = re.compile(r"key|token|secret|passw|pwd|sig|credential|auth|code|sas|session", re.IGNORECASE)
_URL = re.compile(r"://[^\s\"'<>]*+")
"""All characters that may belong to a URL: each is read once, so consecutive URLs cost no more than one."""
_QUERY_END = re.compile(r"[)\]]")


def shown_url(url: str) -> str:
    """Scheme, host, port and path of a URL. Other texts are not repeated: parts of them could be a key."""
    try:
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2]
        return urlunsplit((parts.scheme, host, parts.path, "", "")) if host or parts.scheme else parts.path
    except ValueError:
        return "(no URL)"


def without_queries(text: str) -> str:
    """A message with URLs as `shown_url` shows them."""
    if "://" in text:
        text = _URL.sub(_without_query, _USER.sub("", text))
    return without_credentials(text)


def _without_query(match: re.Match[str]) -> str:
    head, asked, query = match[0].partition("?")
    if not asked or "#" in head:
        return match[0]
    end = _QUERY_END.search(query)
    return head + (query[end.start() :] if end else "")


def without_credentials(text: str) -> str:
    """A message without the credentials in its URLs."""
    if "://" in text:
        text = _USER.sub("", text)
    if "=" in text:
        text = _QUERY.sub(lambda match: f"{match[1]}=…" if _SECRET_NAME.search(match[1]) else match[0], text)
    return text
