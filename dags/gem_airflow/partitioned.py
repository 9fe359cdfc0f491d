"""Shared by the two DAGs whose runs process one partition: alerts, a deadline, and the options of a run."""

from collections.abc import Mapping
from typing import Any

import pendulum
from airflow.sdk import Param, dag

from gem_airflow.alerts import Alert, deadline
from gem_airflow.options import RUN_OPTIONS
from gem_airflow.retries import PARTITION_ARGS


def partitioned_dag(kind: str, schedule: Any, doc_md: str | None, runs: int, params: Mapping[str, Param]) -> Any:
    """Returns the decorator of such a DAG.

    Args:
        kind: the tag of the DAG.
        schedule: a timetable of partitions.
        doc_md: the docstring of its module.
        runs: maximum number of concurrent runs.
        params: in addition to the options of every run.
    """
    return dag(
        schedule=schedule,
        start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
        catchup=False,
        max_active_runs=runs,
        default_args=PARTITION_ARGS,
        on_failure_callback=Alert("a run failed"),
        deadline=deadline(),
        tags=["gem", kind],
        doc_md=doc_md,
        params={**params, **RUN_OPTIONS},
    )
