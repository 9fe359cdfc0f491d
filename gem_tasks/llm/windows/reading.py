"""Asks an endpoint for its model's window, if that is free: its list of models, or a page of its server.

| who                        | where                                     | what it states                             |
|----------------------------|-------------------------------------------|--------------------------------------------|
| vLLM, SGLang               | `/models`: `max_model_len`                | the window served                          |
| llama.cpp                  | `/props`: `n_ctx`                         | the window of one request                  |
| Ollama                     | `/api/ps`: `context_length`               | the loaded window; nothing before first use |
| LM Studio                  | `/api/v0/models`: `loaded_context_length` | the loaded window                          |
| OpenRouter, Groq, Mistral  | `/models`: `context_length` and the like  | the model's window, not the provider's     |

Any failure counts as unknown.
"""

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from itertools import takewhile
from typing import Any, NamedTuple, cast
from urllib.parse import urlsplit, urlunsplit

from gem_tasks.domain.base import Json
from gem_tasks.errors import UserError
from gem_tasks.llm.bounds import MAX_JSON_BYTES, bounded_json
from gem_tasks.llm.http.reply import request_headers
from gem_tasks.replies import Growing, body_of

_PATIENCE_S = 5.0
_LEAST = 256
_SERVED = ("max_model_len", "loaded_context_length")
_CLAIMED = ("context_length", "context_window", "max_context_length", "max_context_window_tokens", "max_input_tokens")
_NESTED = ("top_provider", "meta", "limits", "capabilities", "model_spec")


class Reading(NamedTuple):
    """What the endpoint states about a model."""

    tokens: int
    place: str
    """Where it states it."""
    served: bool
    """Whether the server really serves this window, or only the model could."""


def read_window(base_url: str, api_key: str | None, headers: Mapping[str, str] | None, model: str) -> Reading | None:
    """The stated window; None if there is none. Takes up to `_PATIENCE_S` for each of two requests.

    Args:
        base_url: ends in `/v1`.
        api_key: sent as a bearer token.
        headers: extra headers.
        model: name in requests.
    """
    ask = _Asking(base_url, api_key, headers)
    listed = ask.get("/models")
    entry = _entry(listed, model)
    owner, port = str(entry.get("owned_by")), urlsplit(base_url).port
    found = _said(entry, "/models")
    if owner == "llamacpp":
        props = ask.root("/props")
        inner: Any = cast("Json", props).get("default_generation_settings") if isinstance(props, dict) else None
        found = _number(inner, "n_ctx", "/props") or _number(props, "n_ctx", "/props") or found
    elif owner == "library" or port == 11434:
        found = _number(_entry(ask.root("/api/ps"), model), "context_length", "/api/ps") or found
    elif owner == "organization_owner" or port == 1234:
        found = _said(_entry(ask.root("/api/v0/models"), model), "/api/v0/models") or found
    return found


class _Asking:
    def __init__(self, base_url: str, api_key: str | None, headers: Mapping[str, str] | None) -> None:
        self._parts, self._key, self._headers = urlsplit(base_url), api_key, headers

    def get(self, path: str) -> Any:
        """Fetches a path below the base URL."""
        return self._fetch(self._parts._replace(path=self._parts.path.rstrip("/") + path).geturl())

    def root(self, path: str) -> Any:
        """Fetches a path of the server's root."""
        return self._fetch(urlunsplit((self._parts.scheme, self._parts.netloc, path, "", "")))

    def _fetch(self, url: str) -> Any:
        import httpx2

        from gem_tasks.http_clients import client

        until = time.monotonic() + _PATIENCE_S
        with suppress(httpx2.HTTPError, httpx2.InvalidURL, UserError, OSError, ValueError, RecursionError):
            sent = {**request_headers(self._key, self._headers), "Accept-Encoding": "identity"}
            with (
                Growing(MAX_JSON_BYTES) as growing,
                client(timeout=_PATIENCE_S) as http,
                http.stream("GET", url, headers=sent) as response,
            ):
                parts = takewhile(lambda _: time.monotonic() < until, response.iter_raw())
                body = body_of(parts, response.headers.get("content-encoding", ""), growing)
                return json.loads(bounded_json(body)) if response.status_code == 200 else None
        return None


def _entry(listed: Any, model: str) -> Json:
    """The model's entry in a list; if a server lists only one model, that one, regardless of its name."""
    entries = list(_entries(listed))
    for entry in entries:
        names = {str(entry.get(key)).removeprefix("models/") for key in ("id", "name", "model")}
        if names & {model, model.removeprefix("models/"), f"{model}:latest"}:
            return entry
    single = len(entries) == 1 and entries[0].get("owned_by") == "llamacpp"
    return entries[0] if single else {}


def _entries(listed: Any) -> Iterator[Json]:
    whole = cast("Json", listed) if isinstance(listed, dict) else {"data": listed}
    for found in (whole.get("data") or whole.get("models"),):
        if isinstance(found, list):
            yield from (cast("Json", entry) for entry in cast("list[Any]", found) if isinstance(entry, dict))


def _said(entry: Json, place: str) -> Reading | None:
    """The served window, if stated; otherwise the smallest claim: OpenRouter's provider may serve less."""
    within = [entry, *(cast("Json", entry[name]) for name in _NESTED if isinstance(entry.get(name), dict))]
    for names, served in ((_SERVED, True), (_CLAIMED, False)):
        numbers = [value for part in within for name in names if (value := _whole(part.get(name)))]
        if numbers:
            return Reading(min(numbers), place, served)
    return None


def _number(found: Any, name: str, place: str) -> Reading | None:
    value = _whole(cast("Json", found).get(name)) if isinstance(found, dict) else None
    return Reading(value, place, served=True) if value else None


def _whole(value: Any) -> int | None:
    """A number of tokens; None for any other value."""
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value)
    if not isinstance(value, int | float) or isinstance(value, bool) or not _LEAST <= value < 1 << 40:
        return None
    return int(value)
