"""One stage in a DAG: its work mapped over shards, then its gate, then the tasks the gate can lead to."""

import os
from datetime import timedelta
from typing import NamedTuple

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import BaseOperator, TaskGroup, XComArg, chain, task
from airflow.sdk.exceptions import AirflowFailException

from gem_airflow.alerts import Alert
from gem_airflow.bridge import begun, partition_key
from gem_airflow.gate_operator import COMMENT, GateOperator, ReviewOperator
from gem_airflow.stage_operator import StageOperator
from gem_tasks.airflow_names import LLM_POOL, pool_of
from gem_tasks.domain.stage import StageName, settings_of

_LONGEST = timedelta(hours=36)
"""The largest shard, 2,000 segments, takes 33 hours if a slow model needs a minute for each, one at a time."""
_ONE_WAY = "none_failed_min_one_success"
"""For tasks after a gate and its review, one of which is skipped. If both were skipped, so is the task."""
_ENTRY = """Follows the gate or the review of the stage before.

It is a separate task, without a worker: `run` also depends on `plan`, whose success alone would satisfy the rule."""


class Ends(NamedTuple):
    """Where a stage is entered and left."""

    entry: BaseOperator
    gate: GateOperator
    review: ReviewOperator
    halted: XComArg


@task(task_id="halted", retries=0, trigger_rule=_ONE_WAY, on_failure_callback=Alert("a gate halted a partition"))
def halted(stage: StageName) -> None:
    """Fails the run with the reason given by the policy or by the person who decided."""
    from gem_tasks.pipeline.judging.gating import last_decision

    reason = last_decision(begun(), stage, partition_key()).reason
    raise AirflowFailException(f"The gate after {stage} halted this partition: {reason}")


def stage_group(stage: StageName, shards: XComArg, following: str, otherwise: str | None = None) -> Ends:
    """Builds task group `{stage}`: `entry`, `run`, `gate`, `review`, `halted`; gate and review lead to `following`.

    Args:
        stage: name of the stage.
        shards: the shards to map it over.
        following: id of the next task.
        otherwise: id of the next task if the following stage has no work; None if `following` is always next.
    """
    with TaskGroup(stage, tooltip=f"The {stage} stage over the shards of the partition"):
        entry = EmptyOperator(task_id="entry", trigger_rule=_ONE_WAY, doc_md=_ENTRY)
        run = StageOperator.partial(
            task_id="run",
            stage=stage,
            pool=_pool(stage),
            map_index_template="shard {{ task.shard.shard }}",
            execution_timeout=_LONGEST,
            doc_md=StageOperator.__doc__,
        ).expand(shard=shards)
        gate = GateOperator(
            task_id="gate",
            stage=stage,
            following=following,
            otherwise=otherwise,
            execution_timeout=timedelta(minutes=5),
            doc_md=GateOperator.__doc__,
        )
        review = ReviewOperator(
            task_id="review",
            stage=stage,
            following=following,
            otherwise=otherwise,
            params={"comment": COMMENT},
            doc_md=ReviewOperator.__doc__,
        )
        end = halted(stage)
        chain(entry, run, gate, review, end)
        chain(gate, end)
    return Ends(entry=entry, gate=gate, review=review, halted=end)


def _pool(stage: StageName) -> str:
    """The pool whose slots limit how many tasks call the stage's endpoint at once.

    A stage with a separate endpoint has a separate pool, so a slow endpoint does not delay other stages.
    """
    name = settings_of(stage)
    return pool_of(name) if os.environ.get(f"GEM_LLM_BASE_URL_{name.upper()}") else LLM_POOL
