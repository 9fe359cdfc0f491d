"""Sends GEM's metrics through Airflow's configured backend (StatsD, OpenTelemetry, or none).

Names carry stage and outcome, because plain StatsD has no labels; `deploy/statsd-mapping.yml` turns them into labels.
Airflow itself reports queue depth as `pool.queued_slots.gem_llm`. docs/operations.md lists all names.
"""

import re
from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

from airflow.sdk.observability.stats import incr, timing

if TYPE_CHECKING:
    from gem_tasks.pipeline.upkeep.observed import Observed
    from gem_tasks.telemetry.calls import Call

_NO_DOTS = re.compile(r"[^A-Za-z0-9-]+")
"""A dot would begin the next part of a name."""
_ENDPOINT = 150
"""Most characters of an endpoint in a name: a host may have 253, and Airflow drops names of more than 250."""
_MICRO = 1_000_000
"""Counters are integers, so costs are counted in millionths of a dollar."""


def send_stage(seen: "Observed") -> None:
    """Sends the counts and latencies of one try of a stage over a shard."""
    stage = seen.stage
    for outcome, segments in seen.segments.items():
        incr(f"gem.segments.{stage}.{outcome}", segments)
    incr(f"gem.tokens.{stage}.prompt", seen.prompt_tokens)
    incr(f"gem.tokens.{stage}.completion", seen.completion_tokens)
    incr(f"gem.cost_micro_usd.{stage}", round(seen.usd * _MICRO))
    for latency in seen.latencies_ms:
        timing(f"gem.latency.{stage}", latency)


def send_calls(calls: "Iterable[Call]") -> None:
    """Sends rate, errors and duration of requests, by stage and endpoint.

    Counts go first: they are few, alerts rest on them, and UDP loses what a server has no room for. A lost duration is
    a smaller sample.
    """
    requests: Counter[tuple[str, str, str]] = Counter()
    durations: list[tuple[str, float]] = []
    for call in calls:
        endpoint = _NO_DOTS.sub("_", call.endpoint)[:_ENDPOINT]
        requests.update({(call.stage, endpoint, result): count for result, count in call.requests.items()})
        if not call.error:
            durations.append((f"gem.request_duration.{call.stage}.{endpoint}", call.latency_s * 1000))
    for (stage, endpoint, result), count in requests.items():
        incr(f"gem.requests.{stage}.{endpoint}.{result}", count)
    for name, duration_ms in durations:
        timing(name, duration_ms)


def send_decision(stage: str, action: str) -> None:
    """Counts one decision of a gate, or of the person it asked."""
    incr(f"gem.gate_decisions.{stage}.{action}")
