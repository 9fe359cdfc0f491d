"""Watches one stage over one shard from the side: what is in flight, how fast, what failed, and where time goes.

`pulse` reports it while the task runs, `gem_tasks.telemetry` to a collector of traces and metrics.
"""

import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Coroutine
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

from gem_tasks.domain.chat import ChatRequest, Completion, FaultCounts, Usage
from gem_tasks.domain.outcome import Outcome
from gem_tasks.domain.pulse import EndpointPulse, Pulse
from gem_tasks.domain.record import Record
from gem_tasks.errors import EndpointError
from gem_tasks.llm.client import OpenAIClient
from gem_tasks.llm.dialects.memory import public_url
from gem_tasks.pipeline.shard.job import ShardJob
from gem_tasks.ports import ChatClient
from gem_tasks.redaction import clean
from gem_tasks.telemetry.calls import Call, place_of, record
from gem_tasks.telemetry.spans import ShardTrace, shard_trace

Ask = Callable[[Record], Coroutine[Any, Any, Outcome]]
"""Gets the outcome of a record. Raises EndpointError: wrong key or unknown model."""

_LATEST = 500
"""Requests whose latency is remembered."""
_OVER = 7
"""Pulses over which rates are computed."""


def traced(job: ShardJob) -> AbstractContextManager[ShardTrace | None]:
    """The span of a stage over a shard, if a collector is configured."""
    return shard_trace(
        job.work.settings.trace_segments,
        run=job.run.run_id or "",
        stage=job.name,
        partition=job.place.partition,
        shard=job.place.shard,
        recipe_id=job.place.recipe_id,
        model=job.work.settings.model_for(job.name),
        endpoint=place_of(job.work.settings.endpoint_for(job.name)),
    )


class _Seen(NamedTuple):
    at: float
    done: int
    requests: int
    tokens: int


class Watch:
    """Belongs to one run of a stage over a shard.

    Args:
        job: the stage over the shard.
        records: records without an outcome.
        trace: where spans go; None without a collector.
    """

    def __init__(self, job: ShardJob, records: int, trace: ShardTrace | None) -> None:
        self._job, self._records, self._trace = job, records, trace
        self._endpoints: list[tuple[str, OpenAIClient]] = []
        self._done = self._tokens = 0
        self._usd: float | None = None
        self._requests: Counter[str] = Counter()
        self._faults: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._latencies: deque[float] = deque(maxlen=_LATEST)
        self._started_at = time.time()
        self._seen = deque([_Seen(time.monotonic(), 0, 0, 0)], maxlen=_OVER)

    def client(self, name: str, endpoint: OpenAIClient, metered: ChatClient) -> ChatClient:
        """The client `metered` of the endpoint, watched. `name` is the stage, or the simulated user."""
        self._endpoints.append((name, endpoint))
        url = self._job.work.settings.endpoint_for(name)
        return _Watched(metered, self, name, place_of(url))

    def called(self, call: Call) -> None:
        """Notes a call that ended."""
        self._requests[call.stage] += sum(call.requests.values())
        self._faults[call.stage].update({str(kind): count for kind, count in call.faults.items()})
        self._tokens += call.usage.prompt_tokens + call.usage.completion_tokens
        if call.usd is not None:
            self._usd = (self._usd or 0.0) + call.usd
        if not call.error:
            self._latencies.append(call.latency_s)
        record(call)
        if self._trace:
            self._trace.called(call)

    async def outcome(self, ask: Ask, record: Record) -> Outcome:
        """Gets the outcome of a record; raises as `ask` does."""
        if self._trace:
            self._trace.began()
        try:
            found = await ask(record)
        except BaseException:
            if self._trace:
                self._trace.broken_off()
            raise
        self._done += 1
        if self._trace:
            self._trace.ended(record.segment.segment_id, record.segment.document_id, found)
        return found

    def saved(self) -> None:
        """Notes that the outcomes so far are saved."""
        if self._trace:
            self._trace.batch()

    def pulse(self, replayed: int) -> Pulse:
        """The state now. Rates are those since one of the last few pulses, so call it at regular intervals."""
        job, first = self._job, self._seen[0]
        now = _Seen(time.monotonic(), self._done, self._requests.total(), self._tokens)
        self._seen.append(now)
        seconds = max(now.at - first.at, 1e-3)
        latencies = sorted(self._latencies)
        return Pulse(
            run_id=job.run.run_id or "",
            stage=job.name,
            recipe_id=job.place.recipe_id,
            partition=job.place.partition,
            shard=job.place.shard,
            records=self._records,
            done=self._done,
            replayed=replayed,
            tokens=self._tokens,
            usd=self._usd,
            done_per_s=(now.done - first.done) / seconds,
            requests_per_s=(now.requests - first.requests) / seconds,
            tokens_per_s=(now.tokens - first.tokens) / seconds,
            latency_s=latencies[len(latencies) // 2] if latencies else None,
            slow_s=latencies[len(latencies) * 95 // 100] if latencies else None,
            endpoints=tuple(self._health(name, client) for name, client in self._endpoints),
            started_at=self._started_at,
            at=time.time(),
        )

    def _health(self, name: str, client: OpenAIClient) -> EndpointPulse:
        settings = self._job.work.settings
        return EndpointPulse(
            asks_for=name,
            endpoint=clean(public_url(settings.endpoint_for(name))),
            model=clean(settings.model_for(name)),
            requests=self._requests[name],
            faults=dict(self._faults[name]),
            **client.health._asdict(),
        )


class _Watched:
    """A `ChatClient` that tells the watch of every call."""

    def __init__(self, client: ChatClient, watch: Watch, name: str, place: str) -> None:
        self._client, self._watch, self._name, self._place = client, watch, name, place

    async def complete(self, request: ChatRequest) -> Completion:
        """Makes the call; see `ChatClient.complete`."""
        began = time.time_ns()
        try:
            found = await self._client.complete(request)
        except EndpointError as error:
            self._tell(request, began, error.faults, error=str(error.error_class))
            raise
        self._tell(request, began, found.faults, found.usage, found.latency_s, found.usd)
        return found

    def _tell(
        self,
        request: ChatRequest,
        began_ns: int,
        faults: FaultCounts,
        usage: Usage = Usage(),  # noqa: B008 - immutable
        latency_s: float = 0.0,
        usd: float | None = None,
        error: str = "",
    ) -> None:
        call = Call(
            stage=self._name,
            endpoint=self._place,
            model=request.model,
            began_ns=began_ns,
            ended_ns=time.time_ns(),
            faults=faults,
            error=error,
            usage=usage,
            latency_s=latency_s,
            usd=usd,
        )
        self._watch.called(call)
