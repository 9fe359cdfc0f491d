"""People rate a random sample: draws it, asks on Airflow's required-actions page, item by item, and sums up.

Start it by hand. While it waits for ratings it holds no worker. More raters, or a terminal instead of the page:
`gem audit rate`. docs/audit.md says what the ratings decide.
"""

from datetime import timedelta
from typing import Any, cast

import pendulum
from airflow.sdk import Param, chain, dag, get_current_context, task

from gem_airflow.bridge import workspace
from gem_airflow.rate_operator import FORM, RateOperator
from gem_airflow.retries import DEFAULT_ARGS


@dag(
    schedule=None,
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    default_args=DEFAULT_ARGS,
    tags=["gem", "audit"],
    doc_md=__doc__,
    params={
        "what": Param("trajectories", enum=["trajectories", "segments"], title="What to sample"),
        "size": Param(50, type="integer", minimum=1, maximum=500, title="Sample size"),
        "seed": Param(0, type="integer", title="Seed", description="The same seed draws the same sample."),
        "version": Param(None, type=["null", "string"], title="Dataset version", description="Empty: all."),
    },
)
def gem_audit() -> None:
    """One mapped task per item of the sample."""

    @task(execution_timeout=timedelta(minutes=10))
    def draw() -> list[dict[str, int]]:
        """Draws the sample and records it."""
        from gem_tasks.pipeline.audit import result, start

        work, params = workspace(), cast("Any", get_current_context())["params"]
        number = start(work, params["what"], params["size"], params["seed"], params["version"])
        return [{"audit": number, "item": item} for item in range(result(work, number).items)]

    @task(trigger_rule="none_failed", execution_timeout=timedelta(minutes=10))
    def report(sample: list[dict[str, int]]) -> dict[str, Any]:
        """Shares with their intervals, agreement, and whether the sample passes."""
        from gem_tasks.pipeline.audit import result

        return result(workspace(), sample[0]["audit"]).model_dump()

    sample = draw()
    rated = RateOperator.partial(
        task_id="rate", params=FORM, map_index_template="item {{ task.sample.item }}", doc_md=RateOperator.__doc__
    ).expand(sample=sample)
    chain(rated, report(cast("Any", sample)))


gem_audit()
