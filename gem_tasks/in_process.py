"""Runs a partition from segments to dataset in this process, without Airflow: for `gem synth` and for notebooks."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from uuid import uuid4

from gem_tasks.dataset.publish import publish
from gem_tasks.errors import GemError
from gem_tasks.lineage import RunContext
from gem_tasks.pipeline.batch.run import run_stage
from gem_tasks.pipeline.judging.gating import gate, nothing_left
from gem_tasks.pipeline.rebuild.plan import plan
from gem_tasks.pipeline.run_recipes import register_recipes
from gem_tasks.pipeline.workspace import Workspace

Doing = Callable[[str], AbstractContextManager[object]]
"""Receives the name of a step; the context lasts as long as the step."""


class HaltedError(GemError):
    """A gate ended the run."""

    def __init__(self, stage: str, reason: str, *, asks: bool) -> None:
        super().__init__(f"The gate after {stage} halted: {reason}.")
        self.asks = asks
        """Whether the gate would have asked a person."""


def synthesize_partition(
    work: Workspace, partition: str, *, pass_reviews: bool, doing: Doing = lambda _: nullcontext()
) -> bool:
    """Runs all stages over a partition and publishes it; if worlds are on, then the same with their line.

    Args:
        work: the workspace of the partition.
        partition: its key.
        pass_reviews: continue where a gate would ask a person.
        doing: reports progress.

    Returns:
        Whether the partition now has a dataset version.

    Raises:
        HaltedError: a gate halted, or would ask a person and `pass_reviews` is not set.
        GemError: the partition is incomplete.
    """
    published = False
    for line in work.lines():
        run_stages(line, partition, pass_reviews=pass_reviews, doing=doing)
        report = publish(work, partition)
        if report.held_back:
            raise GemError(f"Nothing is published: {report.held_back}")
        published = report.version is not None
    return published


def run_stages(
    work: Workspace, partition: str, *, pass_reviews: bool = False, doing: Doing = lambda _: nullcontext()
) -> None:
    """Runs every stage of the workspace's line over every pending shard, one after the other.

    Raises:
        HaltedError: as `synthesize_partition`.
    """
    register_recipes(work)
    shards = plan(work, partition)
    run = RunContext(run_id=f"synth__{uuid4().hex[:12]}")  # the budget belongs to this id
    for name in work.chain.line:
        for number, shard in enumerate(shards, start=1):
            with doing(f"{name}: shard {number} of {len(shards)}"):
                run_stage(work, name, partition, shard["shard"], run)
        decision = gate(work, name, partition, RunContext())
        if decision.action == "halt" or (decision.action == "review" and not pass_reviews):
            raise HaltedError(name, decision.reason, asks=decision.action == "review")
        if name == "validate" and nothing_left(work, name, partition):
            return
