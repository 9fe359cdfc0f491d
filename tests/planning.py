"""What the DAG does, in this process: registers recipes, plans, runs the stages and their gates."""

from gem_tasks.domain.stage import STAGE_NAMES
from gem_tasks.lineage import RunContext
from gem_tasks.pipeline.judging.gating import gate
from gem_tasks.pipeline.rebuild import plan as planning
from gem_tasks.pipeline.run_recipes import register_recipes
from gem_tasks.pipeline.shard.run import run_shard
from gem_tasks.pipeline.workspace import Workspace
from tests.corpus import PARTITION


def plan(work: Workspace, partition: str) -> list[planning.ShardRef]:
    """The shards with work left, under registered recipes."""
    register_recipes(work)
    return planning.plan(work, partition)


def synthesise(work, partition=PARTITION):
    """All stages over all pending shards; returns the number of calls made."""
    calls = 0
    shards = plan(work, partition)
    for name in STAGE_NAMES:
        calls += sum(run_shard(work, name, partition, shard["shard"], RunContext(run_id="r")).calls for shard in shards)
        assert gate(work, name, partition, RunContext()).action == "continue"
    return calls
