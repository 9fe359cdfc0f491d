"""Redacts every text that leaves the process: it removes every configured secret, in any encoding of an echo.

    redaction.know("GEM_LLM_API_KEY", key)   # for every secret: settings, Connections, minted tokens
    redaction.clean(text)                    # texts of models and endpoints: otherwise unchanged
    redaction.message(text)                  # GEM's errors: also removes user names and queries of URLs
    redaction.beginning(text, 300)           # cleaned, then cut

| module      | holds                                                              |
|-------------|--------------------------------------------------------------------|
| `forms`     | the ways in which a secret may be written                          |
| `unescaped` | percent, JSON, HTML and other escapes undone, with places          |
| `redactor`  | which secrets are in force, and their removal from a text          |
| `urls`      | URLs as they may be shown                                          |
| `sources`   | where secrets are: environment, URLs, DSNs, headers                |
| `outlets`   | logs and tracebacks                                                |
"""

from gem_tasks.redaction.redactor import MASK, Redactor
from gem_tasks.redaction.urls import shown_url, without_credentials, without_queries

__all__ = ["IN_FORCE", "MASK", "Redactor", "beginning", "clean", "ending", "know", "log_line", "message", "shown_url"]

_MARGIN = 8_192
"""Characters that the longest form of a secret may have."""

IN_FORCE = Redactor()
"""All secrets that this process knows."""


def know(name: str, secret: str | None) -> None:
    """Redacts a secret in everything that is written from now on; ignores None and empty texts."""
    if secret:
        IN_FORCE.know(name, secret)


def clean(text: str) -> str:
    """The text without the secrets in force."""
    return IN_FORCE.clean(text)


def beginning(text: str, limit: int) -> str:
    """The first `limit` characters of the clean text. To cut first would leave most of a secret that is cut in two."""
    if len(text) <= limit + 2 * _MARGIN:
        return clean(text)[:limit]
    head = clean(text[: limit + 2 * _MARGIN])
    return head[: min(limit, max(0, len(head) - _MARGIN))]  # its end may be half a secret


def ending(text: str, limit: int) -> str:
    """The last `limit` characters of the clean text; see `beginning`."""
    if len(text) <= limit + 2 * _MARGIN:
        return clean(text)[-limit:]
    tail = clean(text[-limit - 2 * _MARGIN :])
    return tail[-min(limit, max(1, len(tail) - _MARGIN)) :]


def message(text: str) -> str:
    """The clean text of an error of GEM, also without user names and queries of URLs."""
    return clean(without_queries(text))


def log_line(text: str) -> str:
    """Like `message`, for logs: removes only key-like parts of queries, because documents' URLs have queries too."""
    return clean(without_credentials(text))
