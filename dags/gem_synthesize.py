"""The stages filter → extract → generate → refine → validate over the shards of one partition, then publish.

Trajectories that validate refuses get one second chance, revise → revalidate. If validate refused none, its gate leads
straight to publish.

Every stage is mapped over the shards. The gate after it reads the stage's numbers from Postgres and then continues the
partition, asks a person (Airflow's required actions), or halts it. A cleared task asks only for missing outcomes, so no
outcome is paid for twice. Options come from the params, or from the event that started the run. GEM publishes a
partition only when it is complete under the current recipes.
"""

from datetime import timedelta
from itertools import pairwise
from typing import Any

from airflow.sdk import PartitionedAssetTimetable, chain, task
from airflow.sdk.exceptions import AirflowSkipException

from gem_airflow.assets import DATASET, SEGMENTS
from gem_airflow.bridge import announced_by, begins, begun, partition_key, run_context
from gem_airflow.mapping import mappable
from gem_airflow.options import MOST
from gem_airflow.params import whole
from gem_airflow.partitioned import partitioned_dag
from gem_airflow.stage_group import stage_group
from gem_tasks.domain.stage import STAGE_NAMES

_LIMIT = whole(
    "Limit",
    "Process only the first N documents of the partition. Such a run publishes nothing.",
    minimum=1,
    maximum=MOST,
)


@partitioned_dag("synthesize", PartitionedAssetTimetable(assets=SEGMENTS), __doc__, runs=4, params={"limit": _LIMIT})
def gem_synthesize() -> None:
    """Creates one group per stage; a new stage needs no change here."""

    @task(execution_timeout=timedelta(minutes=5))
    def plan() -> list[dict[str, Any]]:
        """Returns the partition's shards that have work left under the current prompts and models."""
        from gem_tasks.pipeline.rebuild.plan import take_up

        return [dict(shard) for shard in mappable(take_up(begins(), partition_key(), announced_by(), run_context()))]

    @task(outlets=[DATASET], trigger_rule="none_failed", execution_timeout=timedelta(hours=1))
    def publish(outlet_events: Any = None) -> dict[str, Any]:
        """Writes the dataset version: Parquet, manifest, card, rows in `trajectories`. Skipped while incomplete.

        What this starts has the run's options, and spends the same budget.
        """
        from gem_tasks.dataset.publish import publish

        work = begun()
        report = publish(work, partition_key())
        if report.held_back:
            raise AirflowSkipException(f"Not published: {report.held_back}")
        options = work.options
        if options.budget_usd:
            options = options.model_copy(update={"purse": options.purse or run_context().run_id})
        outlet_events[DATASET].extra = {"ingest_run_id": run_context().run_id, "options": options.packed()}
        return report.model_dump()

    shards = plan()
    following = [*(f"{name}.entry" for name in STAGE_NAMES[1:]), "publish"]
    ends = [
        stage_group(name, shards, after, "publish" if name == "validate" else None)
        for name, after in zip(STAGE_NAMES, following, strict=True)
    ]
    chain(shards, ends[0].entry)
    for this, after in pairwise(ends):
        chain([this.gate, this.review], after.entry)
    # A halt at any gate blocks publication, including what earlier runs of the partition had accepted.
    refusing = ends[STAGE_NAMES.index("validate")]
    ways = [way for end in (refusing, ends[-1]) for way in (end.gate, end.review)]
    chain([*ways, *(end.halted for end in ends)], publish())


gem_synthesize()
