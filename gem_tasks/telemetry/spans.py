"""Spans and metrics of one stage over one shard.

    extract shard 3                     one per task: the whole stage
    ├─ extract results                  one per save: what the calls since the last one brought
    ├─ extract segment                  of sampled segments, of failed ones, and of slow ones
    │  ├─ chat                          one per call
    │  └─ chat

A segment is sampled by its id, so all stages show the same ones, and a sampled document can be followed to its
trajectories. A span holds ids, numbers, names and classes. It never holds text: not of documents, prompts or answers,
and not of errors, which may quote any of them.
"""

import re
from collections import Counter, deque
from collections.abc import Generator
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from hashlib import sha256
from time import time_ns
from typing import Any

from opentelemetry import trace
from opentelemetry.trace import Span, Status, StatusCode, Tracer

from gem_tasks.domain.outcome import Outcome
from gem_tasks.errors import EndpointError
from gem_tasks.redaction import clean
from gem_tasks.telemetry.calls import Call
from gem_tasks.telemetry.otlp import Instruments, telemetry, trace_id

_SLUG = re.compile(r"[\w.:-]{1,80}", re.ASCII)
_LATEST = 200
_EVERY = 50
_SLOW = 3.0
"""A call is slow from this many times the median of the latest calls …"""
_SLOW_S = 1.0
"""… and this many seconds."""
_NS = 1_000_000_000
_of_segment: ContextVar[tuple[int, list[Call]] | None] = ContextVar("of_segment", default=None)
"""When the running asyncio task began with its segment, and the calls that it made."""


@contextmanager
def shard_trace(share: float, run: str, **attributes: str | int) -> "Generator[ShardTrace | None]":
    """The span of a task; yields None if no collector is configured.

    Args:
        share: share of segments to trace one by one.
        run: id of the run, which the trace id follows from if there is no parent span.
        attributes: `stage`, `partition`, `shard`, and others of the same kind.
    """
    if (found := telemetry()) is None:
        yield None
        return
    made = ShardTrace(found.tracer or trace.NoOpTracer(), found.instruments, share, str(attributes["stage"]))
    name = f"{attributes['stage']} shard {attributes['shard']}"
    identity = f"{run}\n{attributes['partition']}\n{attributes['shard']}"
    told = {key: clean(value)[:200] if isinstance(value, str) else value for key, value in attributes.items()}
    fields = {f"gem.{key}": value for key, value in {"run_id": clean(run)[:200], **told}.items()}
    begins = not trace.get_current_span().get_span_context().is_valid
    try:
        with trace_id(int(sha256(identity.encode()).hexdigest()[:32], 16)) if begins else nullcontext():
            span = made.tracer.start_span(name, attributes=fields)
        made.parent = trace.set_span_in_context(span)
        with trace.use_span(span, end_on_exit=True, record_exception=False, set_status_on_exception=False):
            try:
                yield made
            except BaseException as error:
                _fail(span, str(error.error_class) if isinstance(error, EndpointError) else type(error).__name__)
                raise
            finally:
                made.batch()
    finally:
        found.flush()


class ShardTrace:
    """Spans below that of the task, and metrics."""

    def __init__(self, tracer: Tracer, instruments: Instruments | None, share: float, stage: str) -> None:
        self.tracer = tracer
        self.parent: Any = None
        self._instruments, self._share, self._stage = instruments, share, stage
        self._latencies: deque[float] = deque(maxlen=_LATEST)
        self._answers = 0
        self._slow_s = float("inf")
        self._batch = _Batch()
        self._counts: Counter[Any] = Counter()
        """Counter and labels: added up here, because the SDK takes much longer for each."""

    def began(self) -> None:
        """The running asyncio task begins with a segment."""
        _of_segment.set((time_ns(), []))

    def called(self, call: Call) -> None:
        """A call ended. Its metrics wait for the segment's end: only then is it known which span is their exemplar."""
        if mine := _of_segment.get():
            mine[1].append(call)
        else:
            self._measure(call, None)

    def broken_off(self) -> None:
        """The running asyncio task ends without an outcome: the whole stage does."""
        for call in (_of_segment.get() or (0, []))[1]:
            self._measure(call, None)

    def ended(self, segment_id: str, document_id: str, outcome: Outcome) -> None:
        """The running asyncio task has the segment's outcome."""
        began_ns, calls = _of_segment.get() or (time_ns(), [])
        _of_segment.set(None)
        self._batch.add(outcome, calls)
        if self._instruments:
            self._counts[self._instruments.segments, ("stage", self._stage), ("outcome", outcome.kind)] += 1
        slow = any(call.latency_s >= self._slow_s for call in calls)
        if not (slow or outcome.kind == "failed" or _share_of(segment_id) < self._share):
            for call in calls:
                self._measure(call, None)
            return
        span = self.tracer.start_span(f"{self._stage} segment", self.parent, start_time=began_ns)
        span.set_attributes({
            "gem.stage": self._stage, "gem.segment_id": segment_id, "gem.document_id": document_id,
            "gem.slow": slow, **_cost(outcome),
        })  # fmt: skip
        if outcome.kind == "failed":
            _fail(span, str(outcome.error_class))
        context = trace.set_span_in_context(span)
        for call in calls:
            self._measure(call, context)
        span.end()

    def batch(self) -> None:
        """The outcomes so far are saved: one span tells what they were, and the counters move on."""
        counts, self._counts = self._counts, Counter()
        for (instrument, *labels), count in counts.items():
            instrument.add(count, dict(labels))
        done, self._batch = self._batch, _Batch()
        if done.ended:
            span = self.tracer.start_span(f"{self._stage} results", self.parent, start_time=done.since_ns)
            span.set_attributes({"gem.stage": self._stage, **done.told()})
            span.end()

    def _measure(self, call: Call, parent: Any) -> None:
        """The metrics of a call; with a parent also its span, which is then the exemplar of its duration."""
        if not call.error:
            self._latencies.append(call.latency_s)
            self._answers += 1
            if self._answers % _EVERY == 0:
                self._slow_s = max(_SLOW_S, _SLOW * sorted(self._latencies)[len(self._latencies) // 2])
        context = trace.set_span_in_context(self._span(call, parent)) if parent else None
        if not (to := self._instruments):
            return
        where = (("stage", call.stage), ("endpoint", call.endpoint))
        for result, count in call.requests.items():
            self._counts[to.requests, *where, ("outcome", result)] += count
        if not call.error:
            to.duration.record(call.latency_s, dict(where), context)
            self._counts[to.tokens, where[0], ("kind", "prompt")] += call.usage.prompt_tokens
            self._counts[to.tokens, where[0], ("kind", "completion")] += call.usage.completion_tokens
        if call.usd:
            self._counts[to.cost, where[0]] += round(call.usd * 1e6)

    def _span(self, call: Call, parent: Any) -> Span:
        host, _, port = call.endpoint.rpartition(":") if call.endpoint[-1:].isdigit() else (call.endpoint, "", "")
        span = self.tracer.start_span("chat", parent, trace.SpanKind.CLIENT, start_time=call.began_ns)
        span.set_attributes({
            "gem.stage": call.stage,
            "gen_ai.operation.name": "chat",
            "gen_ai.request.model": clean(call.model),
            "gen_ai.usage.input_tokens": call.usage.prompt_tokens,
            "gen_ai.usage.cache_read.input_tokens": call.usage.cached_tokens,
            "gen_ai.usage.output_tokens": call.usage.completion_tokens,
            "gem.latency_s": call.latency_s,
            "gem.requests": sum(call.requests.values()),
            "server.address": host or call.endpoint,
            **({"server.port": int(port)} if port else {}),
            **({"gem.usd": call.usd} if call.usd is not None else {}),
            **{f"gem.faults.{kind}": count for kind, count in call.faults.items()},
        })  # fmt: skip
        if call.error:
            _fail(span, call.error)
        span.end(call.ended_ns)
        return span


class _Batch:
    """What came since the last save."""

    def __init__(self) -> None:
        self.since_ns = time_ns()
        self.ended = self._calls = 0
        self._kinds: Counter[str] = Counter()
        self._sums: Counter[str] = Counter()
        self._slowest_s = 0.0

    def add(self, outcome: Outcome, calls: list[Call]) -> None:
        """Adds a segment."""
        self.ended += 1
        self._kinds[_why(outcome)] += 1
        self._calls += len(calls)
        usage = outcome.cost.usage
        self._sums["input_tokens"] += usage.prompt_tokens
        self._sums["cache_read.input_tokens"] += usage.cached_tokens
        self._sums["output_tokens"] += usage.completion_tokens
        self._slowest_s = max([self._slowest_s, *(call.latency_s for call in calls)])

    def told(self) -> dict[str, Any]:
        """As attributes."""
        return {
            "gem.segments": self.ended,
            "gem.calls": self._calls,
            "gem.slowest_s": self._slowest_s,
            **{f"gem.outcomes.{why}": count for why, count in self._kinds.items()},
            **{f"gen_ai.usage.{name}": count for name, count in self._sums.items()},
        }


def _why(outcome: Outcome) -> str:
    """The outcome with its reason or class."""
    why = outcome.reason or outcome.error_class
    return f"{outcome.kind}.{_slug(str(why))}" if why else outcome.kind


def _cost(outcome: Outcome) -> dict[str, Any]:
    why, cost = outcome.reason or outcome.error_class, outcome.cost
    return {
        "gem.outcome": outcome.kind,
        **({"gem.reason": _slug(str(why))} if why else {}),
        "gem.requests": cost.calls,
        **({"gem.usd": cost.usd} if cost.usd is not None else {}),
    }


def _slug(reason: str) -> str:
    """A reason as it may be shown: one that is no slug could be a model's words."""
    return reason if _SLUG.fullmatch(reason) else "other"


def _fail(span: Span, error: str) -> None:
    span.set_attribute("error.type", error)
    span.set_status(Status(StatusCode.ERROR))


def _share_of(segment_id: str) -> float:
    """A number from 0 to 1 that follows from the id."""
    return int(sha256(segment_id.encode()).hexdigest()[:8], 16) / 0xFFFFFFFF
