"""One stage in a DAG: its work mapped over shards, then the gate, then where the gate may lead."""

import os
from datetime import timedelta
from typing import NamedTuple

from airflow.sdk import TaskGroup, XComArg, chain, task
from airflow.sdk.exceptions import AirflowFailException

from gem_airflow.bridge import partition_key, run_context, workspace
from gem_airflow.stage_operator import StageOperator
from gem_tasks.settings import StageName

_POOL = "gem_llm"


class Ends(NamedTuple):
    """Where a stage is entered and left."""

    run: XComArg
    gate: XComArg


@task.branch(task_id="gate", execution_timeout=timedelta(minutes=5))
def gate(stage: StageName, following: str) -> str:
    """Holds the stage's numbers against the policy, records the decision, and goes on or halts."""
    from gem_tasks.pipeline.plan import gate

    decision = gate(workspace(), stage, partition_key(), run_context())
    return following if decision.action == "continue" else f"{stage}.halted"


@task(task_id="halted", retries=0)
def halted(stage: StageName) -> None:
    """Fails the run with the gate's reason."""
    from gem_tasks.pipeline.plan import last_decision

    reason = last_decision(workspace(), stage, partition_key()).reason
    raise AirflowFailException(f"The gate after {stage} halted this partition: {reason}")


def stage_group(stage: StageName, shards: XComArg, following: str) -> Ends:
    """A task group `{stage}` with the tasks `run`, `gate` and `halted`; the gate leads on to task `following`."""
    with TaskGroup(stage, tooltip=f"The {stage} stage over the shards of the partition"):
        run = StageOperator.partial(
            task_id="run",
            stage=stage,
            pool=_pool(stage),
            map_index_template="shard {{ task.shard.shard }}",
            execution_timeout=timedelta(hours=12),
            doc_md=StageOperator.__doc__,
        ).expand(shard=shards)
        decided = gate(stage, following)
        chain(run, decided, halted(stage))
    return Ends(run=run.output, gate=decided)


def _pool(stage: StageName) -> str:
    """The pool whose slots bound how many tasks talk to the stage's endpoint at once.

    A stage with an endpoint of its own has a pool of its own: a slow endpoint holds up nobody else.
    """
    return f"{_POOL}_{stage}" if os.environ.get(f"GEM_LLM_BASE_URL_{stage.upper()}") else _POOL
