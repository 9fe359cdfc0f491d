"""The official SDK, for everything except chat completions: models, files, batches. Importing it takes a second."""

import logging
from collections.abc import Callable, Mapping
from typing import Any, cast
from urllib.parse import parse_qsl, urlsplit, urlunsplit

import httpx2
import openai

from gem_tasks.connection_faults import reason
from gem_tasks.errors import EndpointError, ErrorClass
from gem_tasks.http_clients import AsyncRouted
from gem_tasks.llm.bounds import bounded_json
from gem_tasks.llm.responses.classify import from_status
from gem_tasks.proxies import proxy_for
from gem_tasks.redaction import beginning
from gem_tasks.replies import Growing, abody_of

_TIMEOUT_S = 60.0
_OF_THE_WIRE = frozenset({"content-encoding", "content-length", "transfer-encoding"})
logging.getLogger("httpx").setLevel(logging.WARNING)  # it would log a line for every poll of a batch


def sdk(base_url: str, headers: Mapping[str, str]) -> openai.AsyncOpenAI:
    """A client without retries; an async context manager.

    Args:
        base_url: base URL of the endpoint; its query is sent too.
        headers: headers with the key, see `Access`.

    Raises:
        UserError: its proxy cannot be used.
    """
    proxy_for(base_url)  # checked here, because the SDK would report it as a connection fault
    parts = urlsplit(base_url)
    sent = {"Authorization" if name.lower() == "authorization" else name: value for name, value in headers.items()}
    hooks: dict[str, list[Callable[..., Any]]] = {} if "Authorization" in sent else {"request": [_without_bearer]}
    return openai.AsyncOpenAI(
        base_url=urlunsplit(parts._replace(query="")),
        default_query=dict(parse_qsl(parts.query)),  # such as Azure's api-version
        api_key="none",  # the SDK requires one
        timeout=_TIMEOUT_S,
        max_retries=0,
        default_headers=sent,
        # It follows no redirect, which would take the key, or a checked question, elsewhere.
        http_client=openai.DefaultAsyncHttpxClient(
            timeout=_TIMEOUT_S, transport=_Bounded(), follow_redirects=False, event_hooks=hooks
        ),
    )


class _Bounded(AsyncRouted):
    """Returns whole replies of a bounded size: the SDK reads, unpacks and parses everything that arrives."""

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Called by httpx2.

        Raises:
            RemoteProtocolError: the reply is too large, or its format is not as declared.
        """
        request.headers["Accept-Encoding"] = "identity"
        response = await super().handle_async_request(request)
        try:
            with Growing() as growing:
                coding = response.headers.get("content-encoding", "")
                body = await abody_of(cast("httpx2.AsyncByteStream", response.stream), coding, growing)
            bounded_json(body)
        except ValueError as error:
            raise httpx2.RemoteProtocolError(str(error), request=request) from error
        finally:
            await response.aclose()
        kept = [(name, value) for name, value in response.headers.multi_items() if name not in _OF_THE_WIRE]
        return httpx2.Response(response.status_code, headers=kept, content=body, request=request)


async def _without_bearer(request: httpx2.Request) -> None:
    request.headers.pop("Authorization", None)


def from_sdk(error: openai.OpenAIError) -> EndpointError:
    """The canonical error for an exception of the SDK."""
    match error:
        case openai.APITimeoutError():
            return EndpointError(ErrorClass.TIMEOUT, "no complete answer within the time limit")
        case openai.APIConnectionError():
            return EndpointError(ErrorClass.CONNECTION, reason(error.__cause__ or error))
        case openai.APIStatusError():
            return from_status(error.status_code, error.response.headers, error.response.text)
        case _:
            # A body that is not JSON, or lacks a field: the server cut it off or speaks another protocol.
            return EndpointError(ErrorClass.SERVER_ERROR, f"unusable answer: {beginning(str(error), 300)}")
