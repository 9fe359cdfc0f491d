"""Shared by both transports: the replies they return, the headers they send."""

from collections.abc import Mapping
from typing import NamedTuple

from gem_tasks.errors import UserError

CONNECT_S = 20.0
KEEP_ALIVE_S = 60.0
"""Connections that were idle for longer are not reused: a device in between may have dropped them."""


class Reply(NamedTuple):
    """An HTTP response, read to its end."""

    status: int
    headers: Mapping[str, str]
    """Keys are in lower case."""
    body: bytes


def request_headers(api_key: str | None, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Headers of every request.

    Args:
        api_key: sent as a bearer token.
        extra: the user's headers; they replace GEM's headers of the same name.

    Raises:
        UserError: the key would break out of its header.
    """
    headers = {"Content-Type": "application/json", "User-Agent": "gem"}
    if api_key:
        if not (api_key.isascii() and api_key.isprintable()):
            raise UserError("The API key has characters that HTTP headers do not allow", "Correct GEM_LLM_API_KEY.")
        headers["Authorization"] = f"Bearer {api_key}"
    given = {name.lower() for name in extra or ()}
    return {name: value for name, value in headers.items() if name.lower() not in given} | dict(extra or {})
