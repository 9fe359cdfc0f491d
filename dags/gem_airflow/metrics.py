"""GEM's numbers beside Airflow's own, sent the way Airflow is configured to (StatsD, OpenTelemetry, or not at all).

Names carry stage and outcome, because plain StatsD has no labels; `deploy/statsd-mapping.yml` makes labels of them.
Queue depth needs nothing of ours: Airflow sends `pool.queued_slots.gem_llm`. docs/operations.md lists all names.
"""

from typing import TYPE_CHECKING

from airflow.sdk.observability.stats import incr, timing

if TYPE_CHECKING:
    from gem_tasks.pipeline.upkeep.observed import Observed

_MICRO = 1_000_000
"""Counters are whole numbers: money is counted in millionths of a dollar."""


def send_stage(seen: "Observed") -> None:
    """Counts and latencies of one try of a stage over a shard."""
    stage = seen.stage
    for outcome, segments in seen.segments.items():
        incr(f"gem.segments.{stage}.{outcome}", segments)
    incr(f"gem.tokens.{stage}.prompt", seen.prompt_tokens)
    incr(f"gem.tokens.{stage}.completion", seen.completion_tokens)
    incr(f"gem.cost_micro_usd.{stage}", round(seen.usd * _MICRO))
    for latency in seen.latencies_ms:
        timing(f"gem.latency.{stage}", latency)


def send_decision(stage: str, action: str) -> None:
    """One decision of a gate, or of the person it asked."""
    incr(f"gem.gate_decisions.{stage}.{action}")
