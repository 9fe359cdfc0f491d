"""Where traces and metrics go: to the collector that the standard variables of OpenTelemetry name, otherwise nowhere.

| variable                                                   | what                                                  |
|------------------------------------------------------------|-------------------------------------------------------|
| `OTEL_EXPORTER_OTLP_ENDPOINT`, `…_TRACES_…`, `…_METRICS_…` | turns both on, or one                                 |
| `OTEL_TRACES_EXPORTER`, `OTEL_METRICS_EXPORTER`            | `otlp` (default), `otlp_proto_http`, `console`, `none` |
| `OTEL_EXPORTER_OTLP_PROTOCOL`, `…_TRACES_…`, `…_METRICS_…` | `grpc` (default, as in Airflow) or `http/protobuf`    |
| `OTEL_SDK_DISABLED=true`                                   | turns both off                                        |

The SDK reads all others: headers, certificates, samplers, the service's name. If the process already has a tracer
provider, such as that of Airflow's own tracing, GEM uses it, and its spans are children of the task's.

A collector that is slow or unavailable costs spans, but never a task: exports happen in a thread, queues are bounded,
and nothing waits for the last export longer than `_PATIENCE_S`.
"""

import logging
import os
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from importlib.metadata import entry_points, version
from typing import Any, Literal, NamedTuple

from opentelemetry import trace
from opentelemetry.metrics import Meter
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator

logger = logging.getLogger(__name__)

Signal = Literal["traces", "metrics"]
_PATIENCE_S = 2.0
"""Seconds that a task waits for its last export."""
_PROTOCOLS = {"grpc": "otlp_proto_grpc", "http/protobuf": "otlp_proto_http"}
_BUCKETS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)
"""Seconds; the same as in deploy/statsd-mapping.yml."""


class Instruments:
    """Rate, errors and duration of requests by stage and endpoint, and what they brought."""

    def __init__(self, meter: Meter) -> None:
        self.requests = meter.create_counter("gem.requests", description="HTTP requests to models, by result")
        self.duration = meter.create_histogram(
            "gem.request.duration",
            unit="s",
            description="Time of answered requests",
            explicit_bucket_boundaries_advisory=_BUCKETS,
        )
        self.segments = meter.create_counter("gem.segments", description="Segments that reached an outcome")
        self.tokens = meter.create_counter("gem.tokens", description="Tokens")
        self.cost = meter.create_counter("gem.cost_micro_usd", description="Millionths of a dollar")


class Telemetry(NamedTuple):
    """What is on."""

    tracer: trace.Tracer | None
    instruments: Instruments | None
    providers: tuple[Any, ...]

    def flush(self) -> None:
        """Exports what is left, because a task's process may end without notice. Waits for a few seconds at most."""
        for provider in self.providers:
            # The SDK's own limit does not interrupt a request that hangs.
            thread = threading.Thread(target=provider.force_flush, args=(int(_PATIENCE_S * 1000),), daemon=True)
            thread.start()
            thread.join(_PATIENCE_S)
            if thread.is_alive():
                logger.warning("The collector of traces and metrics does not answer; some are lost")
                return


def telemetry() -> Telemetry | None:
    """What the environment asks for; None if it names no collector. Set up once per process."""
    return _set_up(os.getpid()) if is_on("traces") or is_on("metrics") else None


def is_on(signal: Signal) -> bool:
    """Whether the environment names a collector of traces, or of metrics."""
    name = signal.upper()
    if os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true" or _exporter_name(signal) == "none":
        return False
    endpoint = os.environ.get(f"OTEL_EXPORTER_OTLP_{name}_ENDPOINT") or os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT")
    return bool(endpoint) or _exporter_name(signal) == "console"


@cache
def _set_up(process: int) -> Telemetry | None:
    del process  # a forked child has none of its parent's threads
    tracing, measuring = _tried("traces", _tracing), _tried("metrics", _measuring)
    if tracing is None and measuring is None:
        return None
    return Telemetry(
        tracer=tracing.get_tracer("gem", version("gem-tasks")) if tracing else None,
        instruments=Instruments(measuring.get_meter("gem", version("gem-tasks"))) if measuring else None,
        providers=tuple(each for each in (tracing, measuring) if each is not None),
    )


def _tried(signal: Signal, make: Callable[[], Any]) -> Any:
    """A fault in one signal leaves the other on."""
    try:
        return make()
    except Exception as error:  # noqa: BLE001 - an exporter may raise anything, and no task may fail for want of a trace
        logger.warning("No %s: %s", signal, error)
        return None


def _tracing() -> Any:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    if not is_on("traces"):
        return None
    if isinstance(present := trace.get_tracer_provider(), TracerProvider):
        return present
    # Not on exit: it would wait for a collector that does not answer. Tasks flush.
    made = TracerProvider(resource=_resource(), id_generator=_Ids(), shutdown_on_exit=False)
    made.add_span_processor(BatchSpanProcessor(_exporter("traces")))
    return made


def _measuring() -> Any:
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader

    if not is_on("metrics"):
        return None
    reader = PeriodicExportingMetricReader(_exporter("metrics"))
    return MeterProvider([reader], resource=_resource(), shutdown_on_exit=False)


def _resource() -> Any:
    from opentelemetry.sdk.resources import Resource

    named = os.environ.get("OTEL_SERVICE_NAME") or "service.name=" in os.environ.get("OTEL_RESOURCE_ATTRIBUTES", "")
    return Resource.create({} if named else {"service.name": "gem"})


def _exporter_name(signal: Signal) -> str:
    return os.environ.get(f"OTEL_{signal.upper()}_EXPORTER") or "otlp"


def _exporter(signal: Signal) -> Any:
    name = _exporter_name(signal)
    protocol = os.environ.get(f"OTEL_EXPORTER_OTLP_{signal.upper()}_PROTOCOL") or os.environ.get(
        "OTEL_EXPORTER_OTLP_PROTOCOL", ""
    )
    if name == "otlp" and protocol:
        name = _PROTOCOLS.get(protocol, protocol)
    (found, *_) = [*entry_points(group=f"opentelemetry_{signal}_exporter", name=name), None]
    if found is None:
        raise ValueError(f"there is no exporter of {signal} called {name!r}")
    return found.load()()


class _Ids(RandomIdGenerator):
    """Random ids, except in `trace_id`."""

    def generate_trace_id(self) -> int:
        """The id that was asked for, otherwise a random one."""
        return _trace_id.get() or super().generate_trace_id()


_trace_id: ContextVar[int] = ContextVar("trace_id", default=0)


@contextmanager
def trace_id(wanted: int) -> Generator[None]:
    """Gives this id, of 128 bits, to a trace that begins inside: tasks on different workers then share one trace."""
    token = _trace_id.set(wanted)
    try:
        yield
    finally:
        _trace_id.reset(token)
