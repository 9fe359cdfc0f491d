"""One OpenAI-compatible endpoint behind the `ChatClient` port.

Retries have one owner each. Here: 429, 5xx, timeouts and lost connections, with exponential backoff and `Retry-After`;
the SDK's own retries are off. Malformed answers belong to `pipeline.attempt`, lost workers to Airflow.
"""

import asyncio
import logging
import random
import time
from types import TracebackType
from typing import Self, cast
from urllib.parse import parse_qsl, urlsplit, urlunsplit

import openai
from openai.types.chat import ChatCompletion

from gem_tasks.domain.chat import ChatRequest, Completion, Usage
from gem_tasks.errors import RETRYABLE, EndpointError, ErrorClass
from gem_tasks.llm.faults import classify

# One line per request would bury the lines about segments in a task's log.
logging.getLogger("httpx2").setLevel(logging.WARNING)

_FIRST_WAIT_S = 0.5
_LONGEST_WAIT_S = 60.0


class OpenAIClient:
    """At most `concurrency` requests in flight; each has `timeout_s` seconds; a call makes `max_attempts` requests.

    An async context manager: leaving it closes the connections.
    """

    def __init__(
        self, base_url: str, api_key: str | None, *, concurrency: int, timeout_s: float, max_attempts: int
    ) -> None:
        parts = urlsplit(base_url)
        self._sdk = openai.AsyncOpenAI(
            base_url=urlunsplit(parts._replace(query="")),
            default_query=dict(parse_qsl(parts.query)),  # such as Azure's api-version
            api_key=api_key or "none",  # the SDK insists on one; local servers ignore it
            timeout=timeout_s,
            max_retries=0,
            http_client=openai.DefaultAioHttpClient(timeout=timeout_s),
        )
        self._slots = asyncio.Semaphore(concurrency)
        self._max_attempts = max_attempts

    async def __aenter__(self) -> Self:
        """Nothing to open: connections are made on first use."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Closes the connections."""
        await self._sdk.close()

    async def complete(self, request: ChatRequest) -> Completion:
        """Makes the call; see `ChatClient.complete`."""
        attempt = 1
        while True:
            try:
                return await self._once(request, attempt)
            except EndpointError as error:
                if error.error_class not in RETRYABLE or attempt >= self._max_attempts:
                    error.calls = attempt
                    raise
                await asyncio.sleep(_wait_s(attempt, error.retry_after_s))
                attempt += 1

    async def models(self) -> list[str]:
        """Names the endpoint offers.

        Raises:
            EndpointError: it did not answer.
        """
        try:
            return [model.id async for model in self._sdk.models.list()]
        except openai.OpenAIError as error:
            raise classify(error) from error

    async def _once(self, request: ChatRequest, attempt: int) -> Completion:
        async with self._slots:
            started = time.monotonic()
            try:
                # Our frozen value becomes the SDK's keyword arguments; their overloads cannot see its type.
                answer = cast("ChatCompletion", await self._sdk.chat.completions.create(**request.to_openai()))
            except openai.OpenAIError as error:
                raise classify(error) from error
            except ValueError as error:  # the body was no JSON
                raise EndpointError(ErrorClass.SERVER_ERROR, f"unusable answer: {str(error)[:200]}") from error
            return _completion(answer, time.monotonic() - started, attempt)


def _wait_s(attempt: int, asked_s: float | None) -> float:
    """Exponential, spread over its upper half, but never sooner than the endpoint asked for."""
    longest = min(_LONGEST_WAIT_S, _FIRST_WAIT_S * 2**attempt)
    return max(random.uniform(longest / 2, longest), min(asked_s or 0, _LONGEST_WAIT_S))  # noqa: S311


def _completion(answer: ChatCompletion, latency_s: float, calls: int) -> Completion:
    if not answer.choices:
        raise EndpointError(ErrorClass.SERVER_ERROR, "an answer without choices")
    choice, usage = answer.choices[0], answer.usage
    cached = usage.prompt_tokens_details.cached_tokens if usage and usage.prompt_tokens_details else 0
    refused = choice.message.refusal and not choice.message.content
    return Completion(
        text=choice.message.content or choice.message.refusal or "",
        finish_reason="content_filter" if refused else choice.finish_reason,
        usage=Usage(
            prompt_tokens=usage.prompt_tokens if usage else 0,
            cached_tokens=cached or 0,
            completion_tokens=usage.completion_tokens if usage else 0,
        ),
        latency_s=latency_s,
        calls=calls,
        model=answer.model,
    )
