"""The stages world → task → simulate → verify over the shards of one partition, then publish again.

With `GEM_WORLDS=on`, conversations happen in executable worlds, beside those that `gem_synthesize` writes in one pass.
A published dataset version of a partition starts this DAG, with the options of that run. It makes worlds of the
workflows that `gem_synthesize` has extracted, and publishes a version with the executed conversations, too. With
`GEM_WORLDS=off`, and if nothing is left to do, the run is skipped.

Gates, cleared tasks and params are as in `gem_synthesize`. More is in docs/worlds.md.
"""

from datetime import timedelta
from itertools import pairwise
from typing import Any, cast

from airflow.sdk import PartitionedAssetTimetable, chain, task
from airflow.sdk.exceptions import AirflowSkipException

from gem_airflow.assets import DATASET
from gem_airflow.bridge import begins, begun, partition_key, workspace
from gem_airflow.mapping import mappable
from gem_airflow.partitioned import partitioned_dag
from gem_airflow.stage_group import stage_group
from gem_tasks.domain.stage import STAGE_NAMES, WORLD_LINE, StageName

_STAGES: list[StageName] = [name for name in WORLD_LINE if name not in STAGE_NAMES]


@partitioned_dag("worlds", PartitionedAssetTimetable(assets=DATASET), __doc__, runs=4, params={})
def gem_worlds() -> None:
    """Creates one group per stage that only this line has."""

    @task(execution_timeout=timedelta(minutes=5))
    def plan() -> list[dict[str, Any]]:
        """Returns the shards with work left in worlds under the current prompts and models."""
        from gem_tasks.pipeline.rebuild.plan import plan, worlds_waiting

        if not worlds_waiting(workspace(), partition_key()):
            raise AirflowSkipException("Worlds are off (GEM_WORLDS), or this partition has none left to make")
        return [dict(shard) for shard in mappable(plan(begins(), partition_key()))]

    @task(outlets=[DATASET], trigger_rule="none_failed", execution_timeout=timedelta(hours=1))
    def publish(planned: list[dict[str, Any]] | None) -> dict[str, Any]:
        """Writes the dataset version with the executed conversations. Skipped while incomplete."""
        from gem_tasks.dataset.publish import publish

        if planned is None:
            raise AirflowSkipException("There was nothing to do")
        report = publish(begun().in_one_pass(), partition_key())
        if report.held_back:
            raise AirflowSkipException(f"Not published: {report.held_back}")
        return report.model_dump()

    shards = plan()
    following = [*(f"{name}.entry" for name in _STAGES[1:]), "publish"]
    ends = [stage_group(name, shards, after) for name, after in zip(_STAGES, following, strict=True)]
    chain(shards, ends[0].entry)
    for this, after in pairwise(ends):
        chain([this.gate, this.review], after.entry)
    chain([ends[-1].gate, ends[-1].review, *(end.halted for end in ends)], publish(cast("Any", shards)))


gem_worlds()
