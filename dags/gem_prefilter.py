"""Daily: learns a prefilter from the filter's own verdicts, or says why there is none yet.

A prefilter rejects without a call what the filter would reject anyway. It is replaced when there is half as much more
to learn from, and switched off when the random share of segments proves that it misses too much.
"""

from datetime import timedelta
from typing import Any

import pendulum
from airflow.sdk import dag, task

from gem_airflow.bridge import workspace
from gem_airflow.retries import DEFAULT_ARGS


@dag(
    schedule="30 3 * * *",
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULT_ARGS,
    tags=["gem", "prefilter"],
    doc_md=__doc__,
)
def gem_prefilter() -> None:
    """One task."""

    @task(execution_timeout=timedelta(hours=1))
    def train() -> dict[str, Any]:
        """Learns from the newest verdicts; its log and result say what came of it."""
        from gem_tasks.pipeline.upkeep.prefilter_training import train

        return train(workspace()).model_dump(mode="json")

    train()


gem_prefilter()
