"""A backfill of `gem_ingest` does not ingest: it announces an old partition and waits for its synthesis."""

from datetime import timedelta
from typing import Any

from airflow.sdk import task
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from gem_airflow.bridge import is_backfill, partition_key, run_context, workspace

_PATIENCE = timedelta(days=8)
"""Longer than a gate waits for a person."""


@task.branch(execution_timeout=timedelta(minutes=5))
def ingest_or_announce() -> str:
    """Lets a backfill run announce its partition without ingesting: today's documents belong to no old hour."""
    return "announce" if is_backfill() else "list_sources"


@task.sensor(
    mode="reschedule",
    poke_interval=5,
    exponential_backoff=True,
    max_wait=timedelta(seconds=30),
    timeout=_PATIENCE.total_seconds(),
)
def synthesised(ti: Any = None) -> bool:
    """In a backfill, waits for the partition's synthesis without holding a worker; fails if the synthesis fails.

    So the backfill's limit of active runs, its pause and its cancellation apply to the synthesis too.
    """
    from gem_tasks.airflow_names import SYNTHESIZE
    from gem_tasks.pipeline.rebuild.plan import taken_by

    if not is_backfill():
        raise AirflowSkipException("only a backfill waits for the synthesis")
    run_id = taken_by(workspace(), partition_key(), run_context())
    state = ti.get_dagrun_state(SYNTHESIZE, run_id) if run_id else None
    if state == "failed":
        raise AirflowFailException(f"{SYNTHESIZE} failed for {partition_key()}: {run_id}")
    return state == "success"
