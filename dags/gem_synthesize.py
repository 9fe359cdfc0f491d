"""The stages filter → extract → generate → refine → validate over the shards of one partition, then publish.

Every stage is mapped over the shards and followed by a gate, which reads the stage's numbers from Postgres and lets the
partition go on, asks a person (Airflow's required actions), or halts it. A cleared task asks only for what is missing:
no outcome is paid twice.
"""

from datetime import timedelta
from itertools import pairwise
from typing import Any

import pendulum
from airflow.sdk import PartitionedAssetTimetable, chain, dag, task

from gem_airflow.alerts import Alert, deadline
from gem_airflow.assets import DATASET, SEGMENTS
from gem_airflow.bridge import partition_key, workspace
from gem_airflow.options import BUDGET
from gem_airflow.retries import DEFAULT_ARGS
from gem_airflow.stage_group import stage_group
from gem_tasks.settings import STAGE_NAMES


@dag(
    schedule=PartitionedAssetTimetable(assets=SEGMENTS),
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    max_active_runs=4,
    default_args=DEFAULT_ARGS,
    on_failure_callback=Alert("a run failed"),
    deadline=deadline(),
    tags=["gem", "synthesize"],
    doc_md=__doc__,
    params={"budget_usd": BUDGET},
)
def gem_synthesize() -> None:
    """One group per stage: a stage added to `STAGE_NAMES` appears here by itself."""

    @task(execution_timeout=timedelta(minutes=5))
    def plan() -> list[dict[str, Any]]:
        """Shards of the partition with work left under the current prompts and models."""
        from gem_tasks.pipeline.plan import plan

        return [dict(shard) for shard in plan(workspace(), partition_key())]

    @task(outlets=[DATASET], trigger_rule="none_failed", execution_timeout=timedelta(hours=1))
    def publish() -> dict[str, Any]:
        """Writes the dataset version: Parquet, manifest, card, rows in `trajectories`."""
        from gem_tasks.dataset.publish import publish

        return publish(workspace(), partition_key()).model_dump()

    shards = plan()
    following = [*(f"{name}.run" for name in STAGE_NAMES[1:]), "publish"]
    ends = [stage_group(name, shards, after) for name, after in zip(STAGE_NAMES, following, strict=True)]
    for this, after in pairwise(ends):
        chain([this.gate, this.review], after.run)
    # Whatever halted, nothing is published: not even what earlier runs of the partition had accepted.
    chain([ends[-1].gate, ends[-1].review, *(end.halted for end in ends)], publish())


gem_synthesize()
