"""From a dataset version to a model and its scores: sets, training, serving, harnesses, report, promotion.

Each arm of the experiment is one mapped group; the default experiment has two arms, the base and the trained model. The
server of an arm is a setup task with a teardown: it stops even if the evaluation fails, and also when Airflow dies.

A new dataset version starts this DAG once you unpause it. Such a run is skipped until there are `min_new` trajectories
that no model of this profile was trained on, so that a laptop does not train every hour. To start it by hand, use
`gem distill run`, `gem experiment run`, or the trigger button with params.
"""

from typing import Any, cast

import pendulum
from airflow.sdk import Param, PartitionedAssetTimetable, chain, dag, task_group

from gem_airflow import distill_tasks as steps
from gem_airflow.assets import DATASET
from gem_airflow.distill_options import PARAMS
from gem_airflow.retries import DEFAULT_ARGS

_MIN_NEW = Param(
    1000,
    type="integer",
    minimum=0,
    maximum=1_000_000_000,
    title="New trajectories",
    description="Skip a run that a dataset version started if fewer trajectories are new to this profile's models.",
)


@dag(
    schedule=PartitionedAssetTimetable(assets=DATASET),
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    is_paused_upon_creation=True,
    max_active_runs=1,
    default_args=DEFAULT_ARGS,
    tags=["gem", "distill"],
    doc_md=__doc__,
    params={**PARAMS, "min_new": _MIN_NEW},
)
def gem_distill() -> None:
    """Plans, runs every arm, writes the report, and promotes the model."""

    @task_group
    def arm(item: Any) -> None:
        """Trains, serves and measures one model."""
        model = steps.train(item)
        server = steps.serve(cast("Any", model))
        tests = [
            steps.measure.override(task_id=name)(name, item, cast("Any", model), cast("Any", server))
            for name in steps.HARNESSES
        ]
        ended = steps.stop(cast("Any", server))
        ended.as_teardown(setups=cast("Any", server))
        chain(server, *tests, ended)

    items = cast("Any", steps.plan())
    chain(arm.expand(item=items), steps.report(items), steps.promote(items))


gem_distill()
