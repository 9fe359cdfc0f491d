"""Hourly: what is new in the registered sources becomes segments of this hour's partition.

The asset event carries the partition key and starts `gem_synthesize` for it.
"""

from datetime import timedelta
from typing import Any

import pendulum
from airflow.sdk import CronPartitionTimetable, Param, chain, dag, task
from airflow.sdk.exceptions import AirflowSkipException

from gem_airflow.alerts import Alert, deadline
from gem_airflow.assets import PARTITION_FORMAT, SEGMENTS
from gem_airflow.bridge import partition_key, run_context, workspace
from gem_airflow.options import BUDGET
from gem_airflow.retries import DEFAULT_ARGS


@dag(
    schedule=CronPartitionTimetable("0 * * * *", timezone="UTC", key_format=PARTITION_FORMAT),
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULT_ARGS,
    on_failure_callback=Alert("a run failed"),
    deadline=deadline(),
    tags=["gem", "ingest"],
    doc_md=__doc__,
    params={
        "source": Param(
            None,
            type=["null", "string"],
            title="Source",
            description="A file, a directory or s3://bucket/prefix to register and read. Empty: all registered ones.",
        ),
        "limit": Param(
            None,
            type=["null", "integer"],
            minimum=1,
            title="Limit",
            description="Read only so many documents.",
        ),
        "budget_usd": BUDGET,
    },
)
def gem_ingest() -> None:
    """Sources to segments, one mapped task per source."""

    @task(execution_timeout=timedelta(minutes=5))
    def list_sources(params: dict[str, Any] | None = None) -> list[str]:
        """The source of this run, or all that are registered."""
        from gem_tasks.pipeline.ingest import sources

        return sources(workspace(), (params or {}).get("source"))

    @task(map_index_template="{{ source }}", execution_timeout=timedelta(hours=6), max_active_tis_per_dag=2)
    def ingest_source(source: str, params: dict[str, Any] | None = None) -> dict[str, Any]:
        """Reads, normalises, de-duplicates and cuts one source; writes shards and their rows."""
        from gem_tasks.pipeline.ingest import ingest

        return ingest(workspace(), source, partition_key(), (params or {}).get("limit")).model_dump()

    @task(outlets=[SEGMENTS], trigger_rule="none_failed", execution_timeout=timedelta(minutes=5))
    def announce(outlet_events: Any = None, dag_run: Any = None) -> list[dict[str, Any]]:
        """Starts the synthesis of this partition, unless there is nothing in it."""
        from gem_tasks.pipeline.plan import plan

        partition = partition_key()
        pending = plan(workspace(), partition)
        if not pending:
            raise AirflowSkipException(f"{partition}: nothing to do under the current prompts and models")
        if not dag_run.partition_key:  # started by hand without a partition: the event must name the one it went to
            outlet_events[SEGMENTS].add_partitions([partition])
        outlet_events[SEGMENTS].extra = {
            "ingest_run_id": run_context().run_id,
            "shards": len(pending),
            "budget_usd": dag_run.conf.get("budget_usd"),
        }
        return [dict(shard) for shard in pending]

    chain(ingest_source.expand(source=list_sources()), announce())


gem_ingest()
