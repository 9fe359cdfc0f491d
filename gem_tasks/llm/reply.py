"""What both transports have in common: the reply they bring, the headers they send."""

from collections.abc import Mapping
from typing import NamedTuple

from gem_tasks.errors import UserError

CONNECT_S = 20.0
KEEP_ALIVE_S = 60.0
"""A connection that was idle for longer is not used again: whatever is in between may have forgotten it."""


class Reply(NamedTuple):
    """An HTTP response, read to its end."""

    status: int
    headers: Mapping[str, str]
    """To be asked for in lower case."""
    body: bytes


def request_headers(api_key: str | None, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Those of every request.

    Args:
        api_key: sent as a bearer token.
        extra: of the user, in place of ours of the same name.

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
