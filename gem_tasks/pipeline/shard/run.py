"""Runs one stage over one shard: requests missing results, saves them as answers arrive, accounts for every record.

Resumable by construction: every completion goes to the journal as it arrives, outcomes are saved at intervals (object
first, then one transaction) to show progress, and a rerun asks only for what neither has. A rerun of a finished shard
makes no call and writes nothing.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable
from contextlib import aclosing
from functools import partial, reduce
from typing import TypeVar

from gem_tasks.domain.base import Value
from gem_tasks.domain.outcome import Outcome
from gem_tasks.domain.stage import StageName
from gem_tasks.errors import EndpointError
from gem_tasks.lineage import Ledger, RunContext
from gem_tasks.pipeline.journal.places import shard_journal
from gem_tasks.pipeline.shard.asker import asker
from gem_tasks.pipeline.shard.attempts import Attempts
from gem_tasks.pipeline.shard.budget import BudgetSpentError
from gem_tasks.pipeline.shard.collector import rare_collections
from gem_tasks.pipeline.shard.endpoint import explain, raise_if_unfinished
from gem_tasks.pipeline.shard.heartbeat import beating
from gem_tasks.pipeline.shard.job import ShardJob
from gem_tasks.pipeline.shard.outcomes import Outcomes
from gem_tasks.pipeline.shard.prefilter import scored, switch_off_drifted
from gem_tasks.pipeline.shard.records import count_workflows
from gem_tasks.pipeline.shard.tally import Tally
from gem_tasks.pipeline.shard.watch import Watch, traced
from gem_tasks.pipeline.synthesizer.routes import routed
from gem_tasks.pipeline.workspace import Workspace

logger = logging.getLogger(__name__)
Done = TypeVar("Done")

_SAVE_EVERY_S = 10.0
_SAVING_SHARE = 0.05
"""Largest share of the time for saving: it rewrites the shard's object, so large shards are saved less often."""


class ShardReport(Value):
    """Result of a task: counts over the whole shard, and the work of this run."""

    stage: StageName
    partition: str
    shard: int
    accepted: int
    rejected: int
    failed: int
    reused: int
    """Outcomes that already existed."""
    calls: int
    """HTTP requests of this run."""
    replayed: int
    """Answers that an interrupted attempt had left in the journal."""

    def __add__(self, other: "ShardReport") -> "ShardReport":
        """The report of two takes of the same stage and shard."""
        counts = ("accepted", "rejected", "failed", "reused", "calls", "replayed")
        return self.model_copy(update={name: getattr(self, name) + getattr(other, name) for name in counts})


def run_shard(work: Workspace, name: StageName, partition: str, shard: int, run: RunContext) -> ShardReport:
    """Brings every record of the shard to an outcome of the stage under the current recipes, take after take.

    If another run holds the shard, this call blocks until it finishes and then returns its result.

    Raises:
        UserError: the endpoint refuses the key, does not know the model or refuses every request, or the budget of the
            run is spent.
        EndpointError: the endpoint failed for some records, or on the last attempt for most; the answers so far are
            saved, so a retry continues from there.
        ReconcileError: records and outcomes do not add up.
    """
    return add_up(each_alone(jobs_of(work, name, partition, shard, run), run_job))


def jobs_of(work: Workspace, name: StageName, partition: str, shard: int, run: RunContext) -> list[ShardJob]:
    """The stage over a shard, once for each of its recipes: from `generate` on, there is one for each take."""
    works = {each.chain.id_of(name): each for each in reversed(work.each_take())}
    if work.chain.before(name) == "extract" and len(works) > 1:
        count_workflows(work, partition, shard)
    return [ShardJob.of(each, name, partition, shard, run) for each in reversed(works.values())]


def each_alone(jobs: Iterable[ShardJob], do: Callable[[ShardJob], Done]) -> list[Done]:
    """Does every job, even if an endpoint fails in one; then raises the error of the first one that it failed."""
    done: list[Done] = []
    errors: list[EndpointError] = []
    for job in jobs:
        try:
            done.append(do(job))
        except EndpointError as error:
            logger.warning("%s", error)
            errors.append(error)
    if errors:
        raise errors[0]
    return done


def add_up(reports: Iterable[ShardReport]) -> ShardReport:
    """One report of all takes."""
    return reduce(ShardReport.__add__, reports)


def run_job(job: ShardJob) -> ShardReport:
    """As `run_shard`, for one take."""
    place = job.place
    with job.work.ledger() as ledger:
        if finished := finished_before(ledger, job):
            return finished
        # Another run of the partition may hold the shard; this one does not repeat its requests.
        with ledger.locks.shard(place.recipe_id, place.partition, place.shard):
            return _run(job, Outcomes(job, ledger))


def finished_before(ledger: Ledger, job: ShardJob) -> ShardReport | None:
    """The report of a shard with nothing left to do in the stage, from one query; None otherwise."""
    name, partition, shard = job.name, job.place.partition, job.place.shard
    state = ledger.rebuild.shard_state(job.work.chain.link(name), partition, shard)
    if state.ended < state.expected:
        return None
    logger.info("%s %s shard %d: nothing to do, %d reused", name, partition, shard, state.ended)
    counts = state.model_dump(include={"accepted", "rejected", "failed"})
    return ShardReport(
        stage=name, partition=partition, shard=shard, **counts, reused=state.ended, calls=0, replayed=0
    )  # fmt: skip


def _run(job: ShardJob, outcomes: Outcomes) -> ShardReport:
    logger.info(
        "%s %s shard %d: %d records, %d reused",
        job.name, job.place.partition, job.place.shard, len(outcomes.expected), outcomes.reused,
    )  # fmt: skip
    with rare_collections(), traced(job) as trace:
        watch = Watch(job, outcomes.left, trace)
        tally, replayed = asyncio.run(_work(job, outcomes, watch)) if outcomes.left else (Tally(), 0)
    report = report_on(job, outcomes, tally, replayed)
    if tally.ended:
        logger.info("%s", _summary(report, tally))
    raise_if_unfinished(job, tally)
    return report


async def _work(job: ShardJob, outcomes: Outcomes, watch: Watch) -> tuple[Tally, int]:
    """The tally of outcomes, saved at intervals while calls are in flight, and the number of replayed answers."""
    journal = shard_journal(job.work, job.place)
    journal.load()
    in_flight = job.work.settings.llm_concurrency
    saver = _Saver(outcomes, in_flight, watch)
    if job.name == "filter":
        switch_off_drifted(job.work)
    try:
        async with journal, asker(job, journal, watch) as asked, beating(job, lambda: watch.pulse(asked.replayed)):
            attempts = Attempts(partial(watch.outcome, asked.ask), asked.window, proven=job.proven())
            records = scored(job.work, job.name, outcomes.missing())
            records = routed(job.work, job.place, job.run, records) if job.name == "synthesize" else records
            async with aclosing(attempts.outcomes(records)) as arriving:
                async for outcome in arriving:
                    saver.add(outcome)
            saver.begin()  # while the connections close
    except BudgetSpentError as error:
        left = outcomes.left - saver.unsaved
        logger.error("%d of %d segments still have no result: %s", left, len(outcomes.expected), error)
        raise
    except EndpointError as error:
        raise explain(error, job.work, job.name) from error
    finally:
        await saver.finish()
    journal.discard()
    return saver.tally, asked.replayed


class _Saver:
    """Saves outcomes during the work: every few seconds, and when only the last calls are in flight."""

    def __init__(self, outcomes: Outcomes, in_flight: int, watch: Watch) -> None:
        self.tally = Tally()
        self._outcomes, self._watch = outcomes, watch
        self._waiting: list[Outcome] = []
        self._due = time.monotonic() + _SAVE_EVERY_S
        self._nearly_all = outcomes.left - in_flight
        self._task: asyncio.Task[None] | None = None

    @property
    def unsaved(self) -> int:
        """Outcomes waiting for the next save."""
        return len(self._waiting)

    def add(self, outcome: Outcome) -> None:
        """Counts an outcome and saves it in time; raises the error of an earlier save."""
        self.tally.add(outcome)
        self._waiting.append(outcome)
        if self._task and self._task.done():
            self._task.result()
        if time.monotonic() >= self._due or self.tally.ended == self._nearly_all:
            self.begin()

    def begin(self) -> None:
        """Starts saving the waiting outcomes, unless a save is running."""
        if self._task is None and self._waiting:
            self._task = asyncio.create_task(self._save())

    async def finish(self) -> None:
        """Saves the rest."""
        if self._task:
            await self._task
        if self._waiting:
            await self._save()

    async def _save(self) -> None:
        started, count = time.monotonic(), len(self._waiting)
        await asyncio.to_thread(self._outcomes.save, self._waiting[:count])
        self._watch.saved()
        now = time.monotonic()
        del self._waiting[:count]
        self._task = None
        self._due = now + max(_SAVE_EVERY_S, (now - started) / _SAVING_SHARE)


def report_on(job: ShardJob, outcomes: Outcomes, tally: Tally, replayed: int) -> ShardReport:
    """Counts over the whole shard, and over the work of this run.

    Raises:
        ReconcileError: a record has no outcome.
    """
    counts = outcomes.counts()
    return ShardReport(
        stage=job.name,
        partition=job.place.partition,
        shard=job.place.shard,
        accepted=counts["accepted"],
        rejected=counts["rejected"],
        failed=counts["failed"],
        reused=outcomes.reused,
        calls=tally.calls,
        replayed=replayed,
    )


def _summary(report: ShardReport, tally: Tally) -> str:
    """One line: the results, and what every call was spent on."""
    wasted = ", ".join(f"{count} {kind}" for kind, count in tally.faults.most_common()) or "none"
    return (
        f"{report.accepted} accepted, {report.rejected} rejected, {report.failed} failed; {report.calls} calls,"
        f" of which without a usable answer: {wasted}; {report.replayed} answers from the journal"
    )
