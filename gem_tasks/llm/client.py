"""One OpenAI-compatible endpoint behind the `ChatClient` port.

Retries have one owner each:

| what went wrong                        | who asks again                                                         |
|----------------------------------------|------------------------------------------------------------------------|
| 5xx, timeouts, lost connections        | this module, `max_attempts` requests a call, backing off               |
| 429, announced rate limits             | this module for `_PATIENCE_S`; `limiter` and `pacing` slow all down    |
| complaints about a parameter           | `learning`, the same request in another dialect, three times at most   |
| unusable answers                       | `pipeline.attempt`, once, with the complaint                           |
| lost workers, unreachable endpoints    | Airflow; what had arrived comes from `pipeline.journal`                |

The SDK's own retries are off.
"""

import asyncio
import random
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from gem_tasks.domain.chat import ChatRequest, Completion, FaultCounts
from gem_tasks.errors import RETRYABLE, EndpointError, ErrorClass
from gem_tasks.llm.answers import read_completion
from gem_tasks.llm.classify import from_status
from gem_tasks.llm.deadline import Deadlines
from gem_tasks.llm.dialect import Dialect, speak
from gem_tasks.llm.learning import Learning
from gem_tasks.llm.limiter import Limiter
from gem_tasks.llm.memory import Memory
from gem_tasks.llm.pacing import wait_s
from gem_tasks.llm.presets import preset_for
from gem_tasks.llm.tokens import estimate_tokens
from gem_tasks.llm.transport import transport_to

_FIRST_WAIT_S = 0.5
_LONGEST_WAIT_S = 60.0
_PATIENCE_S = 900.0
"""How long a call may be turned away with 429 before it counts as failed."""


class OpenAIClient:
    """Asks one endpoint. An async context manager: leaving it closes the connections.

    Args:
        base_url: ends in `/v1`.
        api_key: None for servers that want none.
        concurrency: at most so many requests in flight; how many really are adapts to the endpoint.
        timeout_s: upper bound for one request; see `Deadlines`.
        max_attempts: requests per call for faults other than 429.
        memory: what is known of the endpoint's models, and remembers what is learned.
        presets: the user's own, see `preset_for`.
        headers: further ones for every request.
        stream: whether to ask for the answer in pieces; None leaves that to the endpoint's dialect.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str | None,
        *,
        concurrency: int,
        timeout_s: float,
        max_attempts: int,
        memory: Memory | None = None,
        presets: Path | None = None,
        headers: Mapping[str, str] | None = None,
        stream: bool | None = None,
    ) -> None:
        self._base_url, self._api_key, self._headers = base_url, api_key, headers
        self._presets, self._stream = presets, stream
        self._transport = transport_to(base_url, api_key, headers)
        self._limiter = Limiter(concurrency)
        self._deadlines = Deadlines(timeout_s)
        self._learning = Learning(self._complete, memory or Memory(None, base_url), self._begin_with)
        self._max_attempts = max_attempts

    async def __aenter__(self) -> Self:
        """Opens no connection yet: they are made on first use."""
        await self._transport.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Closes the connections."""
        await self._transport.__aexit__(kind, error, trace)

    async def complete(self, request: ChatRequest) -> Completion:
        """Makes the call; see `ChatClient.complete`."""
        return await self._learning.complete(request)

    def limit_of(self, request: ChatRequest) -> int:
        """Tokens that an answer may have, thoughts included, as far as is known now."""
        return self._learning.limit_of(request)

    def _begin_with(self, model: str) -> Dialect:
        preset = preset_for(self._base_url, model, self._presets)
        return preset if self._stream is None else preset.model_copy(update={"stream": self._stream})

    async def _complete(self, request: ChatRequest, dialect: Dialect, faults: FaultCounts) -> Completion:
        body, limit = speak(request, dialect), dialect.limit_of(request)
        tokens = estimate_tokens(body) + limit
        patience = time.monotonic() + _PATIENCE_S
        while True:
            timeouts = faults.get(ErrorClass.TIMEOUT, 0)
            try:
                async with self._limiter:
                    completion = await self._once(body, tokens, limit, timeouts)
                return completion.model_copy(update={"faults": faults}) if faults else completion
            except EndpointError as error:
                faults[error.error_class] = faults.get(error.error_class, 0) + 1
                if not self._worthwhile(error, faults, patience):
                    error.faults = faults
                    raise
                await asyncio.sleep(_wait_s(sum(faults.values()), error.retry_after_s))

    async def models(self) -> list[str]:
        """Names the endpoint offers.

        Raises:
            EndpointError: it did not answer.
        """
        from openai import OpenAIError

        from gem_tasks.llm.sdk import from_sdk, sdk

        try:
            async with sdk(self._base_url, self._api_key, self._headers) as client:
                return [model.id async for model in client.models.list()]
        except OpenAIError as error:
            raise from_sdk(error) from None  # its text may repeat the key

    async def _once(self, body: bytes, tokens: int, max_tokens: int, timeouts: int) -> Completion:
        started = time.monotonic()
        try:
            async with self._deadlines.watch(max_tokens, timeouts):
                reply = await self._transport.post("/chat/completions", body)
        except TimeoutError:
            after = f"no complete answer within {time.monotonic() - started:.1f} s"
            raise EndpointError(ErrorClass.TIMEOUT, after) from None
        latency_s = time.monotonic() - started
        if pause := wait_s(reply.headers, tokens):  # a 429 often says no more than this
            self._limiter.pause(min(pause, _LONGEST_WAIT_S))
        if reply.status != 200:
            error = from_status(reply.status, reply.headers, reply.body)
            if error.overloaded:
                self._limiter.complained(error.retry_after_s)
            raise error
        try:
            completion = read_completion(reply.body, latency_s)
        except EndpointError as error:
            if error.overloaded:
                self._limiter.complained(error.retry_after_s)
            raise
        self._deadlines.took(latency_s)
        self._limiter.answered(latency_s)
        return completion

    def _worthwhile(self, error: EndpointError, faults: FaultCounts, patience: float) -> bool:
        if error.error_class is ErrorClass.RATE_LIMITED:
            return time.monotonic() < patience
        transient = sum(faults.get(kind, 0) for kind in RETRYABLE) - faults.get(ErrorClass.RATE_LIMITED, 0)
        return error.error_class in RETRYABLE and transient < self._max_attempts


def _wait_s(attempt: int, asked_s: float | None) -> float:
    """Exponential, spread over its upper half, but never sooner than the endpoint asked for."""
    longest = min(_LONGEST_WAIT_S, _FIRST_WAIT_S * 2 ** (attempt - 1))
    return max(random.uniform(longest / 2, longest), min(asked_s or 0, _LONGEST_WAIT_S))  # noqa: S311
