"""Reads the registered sources every hour and stores new text as segments of this hour's partition.

The asset event carries the partition key and starts `gem_synthesize` for it. If a document changed or vanished, GEM
republishes the datasets that contained it, without it and without model calls. A failing source fails the run at its
end; the other sources are read first.

**A backfill of this DAG announces its partitions again.** It reads no source: it jumps to `announce`, `gem_synthesize`
recomputes stale results, and `synthesised` waits until that run ends. See docs/incremental.md.
"""

from datetime import timedelta
from typing import Any

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import CronPartitionTimetable, chain, task
from airflow.sdk.exceptions import AirflowSkipException

from gem_airflow.assets import DATASET, SEGMENTS
from gem_airflow.backfill import ingest_or_announce, synthesised
from gem_airflow.bridge import is_backfill, partition_key, run_context, run_options, workspace
from gem_airflow.options import MOST, SOURCE, source_of
from gem_airflow.params import whole
from gem_airflow.partitioned import partitioned_dag
from gem_tasks.domain.partition import FORMAT

_LIMIT = whole(
    "Limit",
    "Read only the first N documents of the source, in this run and all later ones; 0 removes the limit."
    " Without a source: the first N of each source, in this run only. Backfill: the first N of the partition.",
    minimum=0,
    maximum=MOST,
)
_ALL_READ = "Fails if a source failed, so that the run fails too, but only after all other work is done."
_HOURLY = CronPartitionTimetable("0 * * * *", timezone="UTC", key_format=FORMAT)


@partitioned_dag("ingest", _HOURLY, __doc__, runs=1, params={**SOURCE, "limit": _LIMIT})
def gem_ingest() -> None:
    """Ingests each source in a mapped task, then announces the partition; a backfill only announces an old one."""

    @task(execution_timeout=timedelta(minutes=5))
    def list_sources(params: dict[str, Any] | None = None) -> list[str]:
        """Returns the URI of the run's source, or those of all enabled sources."""
        from gem_tasks.pipeline.ingest.source import sources

        return sources(workspace(), (params or {}).get("source"))

    @task(map_index_template="{{ source }}", execution_timeout=timedelta(hours=6), max_active_tis_per_dag=2)
    def ingest_source(source: str, params: dict[str, Any] | None = None) -> dict[str, Any]:
        """Finds new, changed and vanished documents of one source; writes shards and their rows."""
        from gem_tasks.pipeline.ingest.source import ingest

        given = params or {}
        # If the run names a source, its limit is stored with that source; otherwise it applies to this run only.
        limit = None if given.get("source") == source else given.get("limit") or None
        vanished = bool(given.get("accept_vanished"))
        return ingest(workspace(), source_of(source, given), partition_key(), limit, vanished).model_dump()

    @task(trigger_rule="all_done", execution_timeout=timedelta(minutes=5))
    def list_changed() -> list[str]:
        """Returns published partitions with a document that was superseded, vanished, or came back."""
        from gem_tasks.dataset.publish import changed_partitions

        return changed_partitions(workspace())

    @task(outlets=[DATASET], map_index_template="{{ partition }}", execution_timeout=timedelta(hours=1))
    def republish(partition: str) -> dict[str, Any]:
        """Republishes a partition with the recipes of its last version, without withdrawn documents."""
        from gem_tasks.dataset.publish import republish

        return republish(workspace(), partition).model_dump()

    @task(outlets=[SEGMENTS], trigger_rule="all_done", execution_timeout=timedelta(minutes=5))
    def announce(outlet_events: Any = None, dag_run: Any = None) -> list[dict[str, Any]]:
        """Starts the synthesis of this partition with the run's options, unless it has no work left."""
        from gem_tasks.pipeline.rebuild.plan import announce, within_budget

        partition, options = partition_key(), run_options()
        if not is_backfill():  # these two said what to read
            options = options.model_copy(update={"sources": (), "limit": None})
        options = within_budget(workspace(options), partition, scheduled=dag_run.run_type == "scheduled")
        pending = announce(workspace(options), partition, run_context())
        if pending is None:
            raise AirflowSkipException(f"{partition}: nothing to do under the current prompts and models")
        if not dag_run.partition_key:  # started by hand without a partition: the event has to name the one it used
            outlet_events[SEGMENTS].add_partitions([partition])
        outlet_events[SEGMENTS].extra = {
            "ingest_run_id": run_context().run_id,
            "shards": len(pending),
            "options": options.packed(),
        }
        return [dict(shard) for shard in pending]

    way, sources, announced = ingest_or_announce(), list_sources(), announce()
    ingested, changed = ingest_source.expand(source=sources), list_changed()
    # The scheduler itself ends such a task; no worker starts.
    all_read = EmptyOperator(task_id="all_read", trigger_rule="none_failed", doc_md=_ALL_READ)
    chain(way, [sources, announced])
    chain(ingested, [announced, changed, all_read])
    chain(announced, synthesised())
    republish.expand(partition=changed)


gem_ingest()
