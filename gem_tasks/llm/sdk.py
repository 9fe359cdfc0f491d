"""The official SDK for everything but chat completions: models, files, batches. Importing it takes a second."""

import logging
from urllib.parse import parse_qsl, urlsplit, urlunsplit

import openai

from gem_tasks.errors import EndpointError, ErrorClass
from gem_tasks.llm.classify import from_status

_TIMEOUT_S = 60.0
logging.getLogger("httpx").setLevel(logging.WARNING)  # it would write a line for every look at a batch


def sdk(base_url: str, api_key: str | None) -> openai.AsyncOpenAI:
    """A client without retries of its own; an async context manager."""
    parts = urlsplit(base_url)
    return openai.AsyncOpenAI(
        base_url=urlunsplit(parts._replace(query="")),
        default_query=dict(parse_qsl(parts.query)),  # such as Azure's api-version
        api_key=api_key or "none",  # the SDK insists on one; local servers ignore it
        timeout=_TIMEOUT_S,
        max_retries=0,
        http_client=openai.DefaultAioHttpClient(timeout=_TIMEOUT_S),
    )


def from_sdk(error: openai.OpenAIError) -> EndpointError:
    """The canonical error for what the SDK raised."""
    match error:
        case openai.APITimeoutError():
            return EndpointError(ErrorClass.TIMEOUT, "no complete answer within the time limit")
        case openai.APIConnectionError():
            return EndpointError(ErrorClass.CONNECTION, str(error.__cause__ or error)[:300])
        case openai.APIStatusError():
            return from_status(error.status_code, error.response.headers, error.response.text)
        case _:
            # A body that is no JSON, or a field missing: the server broke off or speaks another protocol.
            return EndpointError(ErrorClass.SERVER_ERROR, f"unusable answer: {str(error)[:300]}")
