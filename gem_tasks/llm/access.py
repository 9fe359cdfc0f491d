"""How GEM identifies itself to an endpoint: a key, in the header that it expects, and the user's extra headers.

| header          | where                                                                             |
|-----------------|-----------------------------------------------------------------------------------|
| `api-key`       | Azure; its Entra ID tokens go as bearer tokens                                    |
| `x-api-key`     | Anthropic's API at any address; short-lived tokens go as bearer tokens            |
| `x-goog-api-key`| Gemini's own API, which takes batches                                             |
| `Authorization` | everywhere else                                                                   |
| another of them | if the endpoint refuses the key and names the header (Azure at a private address) |
"""

import asyncio
import re
import time
from collections.abc import Mapping
from typing import Literal

from yarl import URL

from gem_tasks.domain.key_source import KeyCommand, KeySource
from gem_tasks.domain.request_options import ApiName
from gem_tasks.errors import Complaint, UserError
from gem_tasks.llm.apis.anthropic import VERSION
from gem_tasks.llm.key_command import key_of
from gem_tasks.patterns import IgnoringCase

KeyHeader = Literal["Authorization", "api-key", "x-api-key", "x-goog-api-key"]
_AZURE = (".openai.azure.com", ".cognitiveservices.azure.com", ".services.ai.azure.com", ".api.cognitive.microsoft.com")
_GOOGLE = "generativelanguage.googleapis.com"
_TOKEN = re.compile(r"eyJ[\w-]+\.[\w-]+\.|ya29\.|sk-ant-oat")
"""How JSON Web Tokens, and access tokens of Google and Anthropic begin: all endpoints take them as bearer tokens."""
_NAMED: tuple[tuple[KeyHeader, IgnoringCase], ...] = (
    ("x-api-key", IgnoringCase(r"\bx-api-key\b")),
    ("api-key", IgnoringCase(r"(?<![\w-])api-key\b|subscription key")),
    ("Authorization", IgnoringCase(r"\bauthorization\b|\bbearer\b")),
)


class Access:
    """Credentials for one endpoint; shared by all requests to it.

    Args:
        base_url: base URL of the endpoint.
        key: the key, or the command that prints it.
        api: the API that the endpoint speaks.
        extra: extra headers of the user; they replace GEM's headers of the same name.

    Raises:
        UserError: the key cannot be sent.
    """

    def __init__(self, base_url: str, key: KeySource, api: ApiName, extra: Mapping[str, str] | None = None) -> None:
        self._command = key if isinstance(key, KeyCommand) else None
        self._key = None if isinstance(key, KeyCommand) else key
        self._until = float("-inf") if self._command else float("inf")
        self._extra = dict(extra or {})
        self._usual: KeyHeader = _header_at(base_url, api)
        self._version = {"anthropic-version": VERSION} if api == "anthropic" else {}
        self._named: KeyHeader | None = None
        """The header that the endpoint asked for."""
        self._tried: set[KeyHeader] = set()
        self._lock = asyncio.Lock()
        self.headers: Mapping[str, str] = self._made()
        """Headers to send; a new object after each change."""

    @property
    def due(self) -> bool:
        """Whether it is time to ask the command for a key."""
        return time.time() >= self._until

    async def renew(self, refused: str | None = None) -> bool:
        """Takes the key that the command prints now; returns whether it is a new one.

        Raises:
            UserError: the command prints no key.
        """
        if self._command is None:
            return False
        async with self._lock:
            before = self._key
            if refused is None or refused == before:
                self._key, self._until = await key_of(self._command, refused)
                if self._key != before:
                    self.headers = self._made()
            return self._key != before or (refused is not None and refused != before)

    async def another(self, sent: Mapping[str, str], complaint: Complaint) -> bool:
        """Whether an endpoint that refused the sent headers may accept the current ones: a new key, or another header.

        Raises:
            UserError: the command prints no key.
        """
        if sent is not self.headers:  # renewed since
            return True
        if self._command:
            self._until = float("-inf")  # nothing is sent until there is a new one
        if await self.renew(refused=self._key):
            return True
        named: KeyHeader | None = next((header for header, words in _NAMED if words.search(complaint.text)), None)
        if not self._key or not named or named in self._tried:
            return False
        self._named = named
        self.headers = self._made()
        return True

    def _made(self) -> Mapping[str, str]:
        found, key = dict(self._version), self._key
        if key:
            if not (key.isascii() and key.isprintable()):
                raise UserError("The API key has characters that HTTP headers do not allow", "Correct GEM_LLM_API_KEY.")
            header = self._named or ("Authorization" if _TOKEN.match(key) else self._usual)
            self._tried.add(header)
            found[header] = f"Bearer {key}" if header == "Authorization" else key
        given = {name.lower() for name in self._extra}
        return {name: value for name, value in found.items() if name.lower() not in given} | self._extra


def _header_at(base_url: str, api: ApiName) -> KeyHeader:
    if api == "anthropic":
        return "x-api-key"
    url = URL(base_url)
    if url.host == _GOOGLE and "openai" not in url.parts:
        return "x-goog-api-key"
    return "api-key" if (url.host or "").endswith(_AZURE) else "Authorization"
