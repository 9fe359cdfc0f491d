"""Trains a prefilter every day on the filter's own verdicts, or logs why it cannot yet.

A prefilter rejects, without a model call, segments that the filter would reject anyway. GEM replaces it when there are
50 % more verdicts to learn from, and disables it when the random control sample shows that it misses too much.
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
    """Runs the training as its only task."""

    @task(execution_timeout=timedelta(hours=1))
    def train() -> dict[str, Any]:
        """Trains on the newest verdicts; its log and return value report the outcome."""
        from gem_tasks.pipeline.upkeep.prefilter_training import train

        return train(workspace()).model_dump(mode="json")

    train()


gem_prefilter()
