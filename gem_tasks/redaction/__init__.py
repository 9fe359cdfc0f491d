"""Every text that leaves the process passes here: no secret in force stays in it, in whatever form an echo gives it.

    redaction.know("GEM_LLM_API_KEY", key)   # settings, Connections, minted tokens: whoever gets hold of a secret
    redaction.clean(text)                    # what models and endpoints wrote: their answers are kept otherwise
    redaction.message(text)                  # errors of ours: user names and queries of URLs go as well
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
"""All that this process knows."""


def know(name: str, secret: str | None) -> None:
    """Keeps a secret out of everything that is written from now on; None and nothing are no secrets."""
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
    return head[: min(limit, max(0, len(head) - _MARGIN))]  # what stands at its end may be half a secret


def ending(text: str, limit: int) -> str:
    """The same of the last ones."""
    if len(text) <= limit + 2 * _MARGIN:
        return clean(text)[-limit:]
    tail = clean(text[-limit - 2 * _MARGIN :])
    return tail[-min(limit, max(1, len(tail) - _MARGIN)) :]


def message(text: str) -> str:
    """The clean text of an error of ours, also without user names and queries of URLs."""
    return clean(without_queries(text))


def log_line(text: str) -> str:
    """The same for a log, where of queries only what looks like a key goes: addresses of documents have queries too."""
    return clean(without_credentials(text))
