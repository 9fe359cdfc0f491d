"""One stage over one shard through a Batch API: submit, poll, collect, until every record has an outcome.

Between these calls no worker is occupied, and any worker may make the next call. Each call is safe to repeat:

| what happens                                  | what the next call finds                                      |
|-----------------------------------------------|---------------------------------------------------------------|
| the worker dies before the batch is created   | an announced batch that the endpoint does not know; dropped   |
| … after creating, before recording it         | the batch, found by the key in its metadata                   |
| … while waiting                               | a submitted batch                                             |
| … while collecting                            | the answers so far in the journal, and the batch again        |
| requests fail or expire, or lines are missing | they go into the next batch, up to three times                |
| an answer is unusable                         | its repair request goes into the next batch                   |
| the endpoint's queue is full                  | no running batch: it submits again, for up to a day           |
| the batch is cancelled                        | its answers are saved; the task stops with a one-line error   |
| the stage returns to online mode              | it collects submitted batches, then sends the rest online     |
"""

import asyncio
import logging
import time

from gem_tasks.domain.base import Value
from gem_tasks.domain.stage import StageName
from gem_tasks.errors import CONFIGURATION, DOUBTFUL, EndpointError, ErrorClass
from gem_tasks.lineage import RunContext
from gem_tasks.pipeline.batch.poll import Pending, Poll
from gem_tasks.pipeline.shard.endpoint import explain
from gem_tasks.pipeline.shard.job import ShardJob
from gem_tasks.pipeline.shard.outcomes import Outcomes
from gem_tasks.pipeline.shard.run import (
    ShardReport,
    add_up,
    each_alone,
    finished_before,
    jobs_of,
    run_job,
    run_shard,
)
from gem_tasks.pipeline.shard.synthesizer import synthesize_first
from gem_tasks.pipeline.workspace import Workspace

logger = logging.getLogger(__name__)


class Progress(Value):
    """State of a shard's batches."""

    ended: bool
    lines: tuple[str, ...]
    """One line per batch, for the log."""


def submit(work: Workspace, name: StageName, partition: str, shard: int, run: RunContext) -> Pending | None:
    """Submits open requests as batches, or finds running ones; returns None if the rest is for `run_shard`.

    Online mode submits nothing, but still collects batches that were submitted earlier: they are paid for.

    Raises:
        UserError: the endpoint has no Batch API or refuses the key, the budget is spent, or a batch was cancelled.
        EndpointError: the endpoint failed; submitted batches are recorded, so a retry continues from there.
    """
    found = each_alone(jobs_of(work, name, partition, shard, run), _submit)
    return Pending.of_takes([each for each in found if each])


def _submit(job: ShardJob) -> Pending | None:
    with job.work.ledger() as ledger:
        if finished_before(ledger, job):
            return None
        if _online(job) and all(row.state == "collected" for row in ledger.batches.open(job.place)):
            return None
    place = job.place
    nothing_yet = Pending(
        stage=job.name, partition=place.partition, shard=place.shard, batches=(), take=job.work.chain.take
    )
    found = _poll(job, nothing_yet, always=False)
    return found if isinstance(found, Pending) else None


async def poll(work: Workspace, pending: Pending) -> Progress:
    """Returns the state of the batches; raises like `submit`."""
    async with work.batches(pending.stage) as client:
        states = [await client.state(batch_id) for each in pending.each for batch_id in each.batches]
    lines = [
        f"{state.batch_id}: {state.completed + state.failed}/{state.total} done, {state.status}"
        for state in states
        if state
    ]
    return Progress(ended=all(state is None or state.ended for state in states), lines=tuple(lines))


def collect(work: Workspace, pending: Pending, run: RunContext) -> ShardReport | Pending:
    """Collects ended batches; returns `Pending` if some still run, or if follow-up batches were submitted.

    Raises like `submit`, and:
        ReconcileError: records and outcomes do not add up.
    """
    waiting = {each.take: each for each in pending.each}

    def one(job: ShardJob) -> ShardReport | Pending:
        mine = waiting.get(job.work.chain.take)
        return (_poll(job, mine, always=True) if mine else None) or run_job(job)

    jobs = jobs_of(work, pending.stage, pending.partition, pending.shard, run)
    found = each_alone(jobs, one)
    left = Pending.of_takes([each for each in found if isinstance(each, Pending)])
    return left or add_up(each for each in found if isinstance(each, ShardReport))


def run_stage(work: Workspace, name: StageName, partition: str, shard: int, run: RunContext) -> ShardReport:
    """Runs the stage in its mode and waits for the end, for the command line; raises like `run_shard` and `collect`."""
    synthesize_first(work, name, partition, shard, run)
    found: ShardReport | Pending | None = submit(work, name, partition, shard, run)
    while isinstance(found, Pending):
        time.sleep(work.settings.llm_batch_poll_s)
        progress = asyncio.run(poll(work, found))
        logger.info("%s", "; ".join(progress.lines))
        if progress.ended:
            found = collect(work, found, run)
    return found or run_shard(work, name, partition, shard, run)


def _poll(job: ShardJob, pending: Pending, *, always: bool) -> ShardReport | Pending | None:
    """Polls once under the shard's lock; returns None if the rest is for `run_shard`, or nothing is missing.

    Args:
        job: the stage over the shard.
        pending: running batches.
        always: poll even if nothing is missing, to collect answers that are paid for.
    """
    place = job.place
    with job.work.ledger() as ledger, ledger.locks.shard(place.recipe_id, place.partition, place.shard):
        outcomes = Outcomes(job, ledger)
        if not (outcomes.left or always):
            return None
        try:
            return asyncio.run(Poll(job, outcomes, ledger, pending, may_send=not _online(job)).go())
        except EndpointError as error:
            if error.error_class in CONFIGURATION | DOUBTFUL | {ErrorClass.CONTEXT_LENGTH}:
                raise explain(error, job.work, job.name) from error
            raise


def _online(job: ShardJob) -> bool:
    """Conversations in worlds are always asked online: their next request depends on the last answer."""
    if job.name == "simulate" and job.work.settings.mode_for(job.name) != "online":
        logger.info("simulate asks turn by turn: GEM sends its requests online, also with GEM_LLM_MODE=batch")
        return True
    return job.work.settings.mode_for(job.name) == "online"
