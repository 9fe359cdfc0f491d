"""A client for one endpoint behind the `ChatClient` port; `apis.registry` lists the APIs that it speaks.

Retries have one owner each:

| what went wrong                        | who retries                                                            |
|----------------------------------------|------------------------------------------------------------------------|
| 5xx, timeouts, lost connections        | this module, `max_attempts` requests a call, backing off               |
| 429, announced rate limits             | this module for `patience_s`; `limiter` and `pacing` slow all calls    |
| 401: expired key, other header wanted  | this module, once, if `access` has another one                         |
| complaints about a parameter           | `learning`, the same request in another dialect, up to three times     |
| too long a request                     | this module, with a smaller limit if `windows` finds one               |
| unusable answers                       | `pipeline.shard.attempt`, once, with the complaint                     |
| lost workers, unreachable endpoints    | Airflow; `pipeline.journal` has the answers so far                     |

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
from gem_tasks.domain.key_source import KeySource
from gem_tasks.domain.request_options import ApiName
from gem_tasks.errors import RETRYABLE, EndpointError, ErrorClass
from gem_tasks.llm.access import Access
from gem_tasks.llm.apis.registry import APIS, api_of, rooted
from gem_tasks.llm.dialects.dialect import Dialect
from gem_tasks.llm.dialects.learning import Learning
from gem_tasks.llm.dialects.memory import Memory
from gem_tasks.llm.dialects.presets import preset_for
from gem_tasks.llm.dialects.usage_watch import UsageWatch
from gem_tasks.llm.http.transport import transport_to
from gem_tasks.llm.limits.deadline import Deadlines
from gem_tasks.llm.limits.limiter import Health, Limiter
from gem_tasks.llm.limits.pacing import wait_s
from gem_tasks.llm.responses.classify import from_status
from gem_tasks.llm.responses.completions import read_failed
from gem_tasks.llm.responses.offered import read_models
from gem_tasks.llm.usage.counts import filled_in
from gem_tasks.llm.usage.tokens import estimate_tokens
from gem_tasks.llm.windows.fitting import Window, Windows
from gem_tasks.llm.windows.reading import Reading, read_window
from gem_tasks.replies import let_go

_FIRST_WAIT_S = 0.5
_LONGEST_WAIT_S = 60.0
_LIST_S = 60.0
"""Seconds to wait for the list of models."""
_PATIENCE_S = 900.0
_REFUSALS = 3
"""A key may have expired, and the endpoint may want the next one in another header."""


class OpenAIClient:
    """A client for one endpoint. An async context manager that closes its connections on exit.

    Args:
        base_url: ends in `/v1`.
        api_key: the key, or the command that prints it; None for servers without keys.
        concurrency: most requests in flight; the actual number adapts to the endpoint.
        timeout_s: upper bound for one request; see `Deadlines`.
        max_attempts: requests per call for faults other than 429.
        memory: what is known about the endpoint's models; stores what is learned.
        presets: the user's file, see `preset_for`.
        headers: extra headers for every request.
        stream: whether to stream the answer; None lets the endpoint's dialect decide.
        api: the API that the endpoint speaks; None if its address tells.
        window: tokens that prompt and answer may have together; None finds out.
        patience_s: seconds to retry after 429 before the call fails.
        one_at_a_time: the endpoint answers one request after another, slowly, and shows all that it thinks: ask it one
            at a time, wait up to `timeout_s`, and take a long answer for one.
    """

    def __init__(
        self,
        base_url: str,
        api_key: KeySource,
        *,
        concurrency: int,
        timeout_s: float,
        max_attempts: int,
        memory: Memory | None = None,
        presets: Path | None = None,
        headers: Mapping[str, str] | None = None,
        stream: bool | None = None,
        api: ApiName | None = None,
        window: int | None = None,
        patience_s: float = _PATIENCE_S,
        one_at_a_time: bool = False,
    ) -> None:
        api = api_of(base_url, api)
        self._api, self._named, self._base_url = APIS[api], api, rooted(base_url, api)
        self._presets, self._stream = presets, stream
        self._access = Access(base_url, api_key, api, headers)
        self._sent = self._access.headers
        self._transport = transport_to(self._base_url, None, self._sent)
        self._limiter = Limiter(1 if one_at_a_time else concurrency)
        self._deadlines = Deadlines(timeout_s, timeout_s if one_at_a_time else None)
        self._speak = self._api.speaker()
        memory = memory or Memory(None, base_url)
        self._windows = Windows(self._window_of, memory, window)
        self._watch = UsageWatch(memory)
        self._learning = Learning(
            self._complete, memory, self._begin_with, self._windows.bounded, self._api.adapt, hides=not one_at_a_time
        )
        self._max_attempts, self._patience_s = max_attempts, patience_s

    async def __aenter__(self) -> Self:
        """Opens no connection yet: connections are made on first use."""
        await self._transport.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Closes the connections."""
        await self._transport.__aexit__(kind, error, trace)

    async def complete(self, request: ChatRequest) -> Completion:
        """Makes the call; see `ChatClient.complete`."""
        if not self._windows.ready(request.model):
            await self.window(request.model)
        return await self._learning.complete(request)

    async def window(self, model: str) -> Window | None:
        """The model's window and its source; None if unknown. Free of charge, and looked up once."""
        return await self._windows.prepare(await self._learning.known(model))

    def limit_of(self, request: ChatRequest) -> int:
        """Tokens allowed for an answer, thoughts included, as currently known."""
        return self._windows.bounded(request, self._learning.limit_of(request))

    @property
    def health(self) -> Health:
        """Requests in flight, and how the endpoint copes with them."""
        return self._limiter.health

    def dialect_of(self, model: str) -> Dialect:
        """The model's dialect, as currently known."""
        return self._learning.dialect_of(model)

    def _begin_with(self, model: str) -> Dialect:
        preset = preset_for(self._base_url, model, self._presets)
        if self._named == "anthropic":
            preset = preset.model_copy(update={"cache_control": True})
        return preset if self._stream is None else preset.model_copy(update={"stream": self._stream})

    async def _complete(self, request: ChatRequest, dialect: Dialect, faults: FaultCounts) -> Completion:
        limit = self._fitting(request, dialect, faults)
        body, patience = self._spoken(request, dialect, limit), time.monotonic() + self._patience_s
        while True:
            timeouts = faults.get(ErrorClass.TIMEOUT, 0)
            sent = self._sent
            try:
                async with self._limiter:
                    sent = await self._introduce()
                    completion = await self._once(body, limit, timeouts)
                await self._windows.answered(request, completion, limit)
                if self._watch.look(request, completion):
                    await self._watch.tell_aside(await self._learning.known(request.model))
                if completion.endpoint_fields and not request.toolbox:
                    completion = completion.model_copy(update={"endpoint_fields": {}})
                return completion.model_copy(update={"faults": faults}) if faults else completion
            except EndpointError as error:
                let_go(error)
                faults[error.error_class] = faults.get(error.error_class, 0) + 1
                error.complaint = self._api.renamed(error.complaint, request)
                if error.error_class is ErrorClass.AUTH and faults[ErrorClass.AUTH] < _REFUSALS:
                    if await self._access.another(sent, error.complaint):
                        continue
                if error.error_class is ErrorClass.CONTEXT_LENGTH:
                    complaints = faults[ErrorClass.CONTEXT_LENGTH]
                    if narrower := await self._windows.narrowed(request, dialect, error, limit, complaints):
                        limit, body = narrower, self._spoken(request, dialect, narrower)
                        continue
                if not self._worthwhile(error, faults, patience):
                    error.faults = faults
                    raise
                await asyncio.sleep(_wait_s(sum(faults.values()), error.retry_after_s))

    def _fitting(self, request: ChatRequest, dialect: Dialect, faults: FaultCounts) -> int:
        """Tokens to ask for; raises if the request cannot fit."""
        try:
            return self._windows.fit(request, dialect)
        except EndpointError as error:
            error.faults = faults  # nothing was sent
            raise

    def _spoken(self, request: ChatRequest, dialect: Dialect, limit: int) -> bytes:
        """The body, with this token limit."""
        narrower = limit < dialect.limit_of(request)
        return self._speak(request, dialect.model_copy(update={"most": limit}) if narrower else dialect)

    def _window_of(self, model: str) -> Reading | None:
        return read_window(self._base_url, None, self._access.headers, model)

    async def _introduce(self) -> Mapping[str, str]:
        """Gives the credentials to the transport; returns them."""
        if self._access.due:
            await self._access.renew()
        if self._sent is not self._access.headers:
            self._sent = self._access.headers
            self._transport.use(self._sent)
        return self._sent

    async def models(self) -> list[str]:
        """Names of the models that the endpoint offers.

        Raises:
            EndpointError: it did not answer.
        """
        try:
            async with asyncio.timeout(_LIST_S):
                await self._introduce()
                reply = await self._transport.get("/models")
        except TimeoutError:
            raise EndpointError(ErrorClass.TIMEOUT, f"no list of models within {_LIST_S:.0f} s") from None
        if reply.status != 200:
            raise from_status(reply.status, reply.headers, reply.body)
        return read_models(reply.body)

    async def _once(self, body: bytes, max_tokens: int, timeouts: int) -> Completion:
        started, tokens = time.monotonic(), estimate_tokens(body) + max_tokens
        try:
            async with self._deadlines.watch(max_tokens, timeouts):
                reply = await self._transport.post(self._api.path, body)
        except TimeoutError:
            self._limiter.complained(None)  # a server with too long a queue does not refuse
            after = f"no complete answer within {time.monotonic() - started:.1f} s"
            raise EndpointError(ErrorClass.TIMEOUT, after) from None
        latency_s = time.monotonic() - started
        if pause := wait_s(reply.headers, tokens):  # a 429 often has no other hint
            self._limiter.pause(min(pause, _LONGEST_WAIT_S))
        if reply.status != 200:
            if written := read_failed(reply.body, latency_s):
                return filled_in(written, body)  # an answer for the parser, not a complaint about the request
            error = from_status(reply.status, reply.headers, reply.body)
            if error.overloaded:
                self._limiter.complained(error.retry_after_s)
            raise error
        try:
            completion = filled_in(self._api.read(reply.body, latency_s), body)
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
    """Exponential backoff, spread over its upper half, but never shorter than the endpoint asked for."""
    longest = min(_LONGEST_WAIT_S, _FIRST_WAIT_S * 2 ** (attempt - 1))
    return max(random.uniform(longest / 2, longest), min(asked_s or 0, _LONGEST_WAIT_S))  # noqa: S311
