"""The official SDK for everything but chat completions: models, files, batches. Importing it takes a second."""

import logging
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit, urlunsplit

import httpx2
import openai

from gem_tasks.connection_faults import reason
from gem_tasks.errors import EndpointError, ErrorClass
from gem_tasks.http_clients import AsyncRouted
from gem_tasks.llm.classify import from_status
from gem_tasks.proxies import proxy_for
from gem_tasks.redaction import beginning

_TIMEOUT_S = 60.0
logging.getLogger("httpx").setLevel(logging.WARNING)  # it would write a line for every look at a batch


def sdk(base_url: str, headers: Mapping[str, str]) -> openai.AsyncOpenAI:
    """A client without retries of its own; an async context manager.

    Args:
        base_url: of the endpoint; its query goes along.
        headers: with the key, see `Access`.

    Raises:
        UserError: its proxy cannot be used.
    """
    proxy_for(base_url)  # while it can still be said: the SDK would call that a connection fault
    parts = urlsplit(base_url)
    sent = {"Authorization" if name.lower() == "authorization" else name: value for name, value in headers.items()}
    hooks: dict[str, list[Callable[..., Any]]] = {} if "Authorization" in sent else {"request": [_without_bearer]}
    return openai.AsyncOpenAI(
        base_url=urlunsplit(parts._replace(query="")),
        default_query=dict(parse_qsl(parts.query)),  # such as Azure's api-version
        api_key="none",  # the SDK insists on one
        timeout=_TIMEOUT_S,
        max_retries=0,
        default_headers=sent,
        # No redirect is followed: it would take the key, or a question that was admitted, somewhere else.
        http_client=openai.DefaultAsyncHttpxClient(
            timeout=_TIMEOUT_S, transport=AsyncRouted(), follow_redirects=False, event_hooks=hooks
        ),
    )


async def _without_bearer(request: httpx2.Request) -> None:
    request.headers.pop("Authorization", None)


def from_sdk(error: openai.OpenAIError) -> EndpointError:
    """The canonical error for what the SDK raised."""
    match error:
        case openai.APITimeoutError():
            return EndpointError(ErrorClass.TIMEOUT, "no complete answer within the time limit")
        case openai.APIConnectionError():
            return EndpointError(ErrorClass.CONNECTION, reason(error))
        case openai.APIStatusError():
            return from_status(error.status_code, error.response.headers, error.response.text)
        case _:
            # A body that is no JSON, or a field missing: the server broke off or speaks another protocol.
            return EndpointError(ErrorClass.SERVER_ERROR, f"unusable answer: {beginning(str(error), 300)}")
