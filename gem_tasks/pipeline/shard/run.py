"""One stage over one shard: ask for what is missing, save as answers arrive, account for every record.

Resumable by construction: every completion goes to the journal as it arrives, outcomes are saved now and then (object
first, then one transaction) so that progress shows, and a rerun asks only for what neither has. A rerun of a finished
shard makes no call and writes nothing.
"""

import asyncio
import logging
import time
from contextlib import aclosing

from gem_tasks.domain.base import Value
from gem_tasks.domain.outcome import Outcome
from gem_tasks.errors import EndpointError
from gem_tasks.lineage import Ledger, Place, RunContext
from gem_tasks.pipeline.journal.journal import JournaledClient
from gem_tasks.pipeline.journal.places import shard_journal
from gem_tasks.pipeline.recipes import takes_of
from gem_tasks.pipeline.shard.attempts import Attempts
from gem_tasks.pipeline.shard.budget import BudgetSpentError
from gem_tasks.pipeline.shard.collector import rare_collections
from gem_tasks.pipeline.shard.endpoint import explain, raise_if_unfinished
from gem_tasks.pipeline.shard.outcomes import Sheet
from gem_tasks.pipeline.shard.spending import spending
from gem_tasks.pipeline.shard.tally import Fresh
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.settings import STAGE_NAMES, StageName

logger = logging.getLogger(__name__)

_SAVE_EVERY_S = 10.0
_SAVING_SHARE = 0.05
"""Saving rewrites the shard's object, so a large one is saved less often: at most this share of the time."""
_WINDOW = 2
"""Records under way per request in flight: those beyond wait for a slot, back off, or are being written down."""


class ShardReport(Value):
    """What a task returns: counts over the whole shard, and what this run did."""

    stage: StageName
    partition: str
    shard: int
    accepted: int
    rejected: int
    failed: int
    reused: int
    """Outcomes that were there already."""
    calls: int
    """HTTP requests of this run."""
    replayed: int
    """Answers that an interrupted try had left in the journal."""


def run_shard(work: Workspace, name: StageName, partition: str, shard: int, run: RunContext) -> ShardReport:
    """Brings every record of the shard to an outcome of the stage under the current recipe.

    Whoever comes while another run is at it waits, and finds it done.

    Raises:
        UserError: the endpoint refuses the key, does not know the model or refuses every request, or the budget of the
            run is spent.
        EndpointError: the endpoint failed for some records, or on the last try for most; what did arrive is saved, so
            a retry goes on from there.
        ReconcileError: records and outcomes do not add up.
    """
    with work.ledger() as ledger:
        if finished := finished_before(ledger, work, name, partition, shard):
            return finished
        # Another run of the partition may be at it: what that one brings is not asked for again.
        with ledger.shard_lock(work.chain.id_of(name), partition, shard):
            return _run(Sheet(work, name, partition, shard, run, ledger))


def finished_before(ledger: Ledger, work: Workspace, name: StageName, partition: str, shard: int) -> ShardReport | None:
    """The report of a shard in which the stage has nothing left to do, from one look at the lineage; None otherwise."""
    recipe = work.chain.by_stage[name]
    state = ledger.shard_state(recipe, takes_of(recipe), partition, shard, first=name == STAGE_NAMES[0])
    if state.ended < state.expected:
        return None
    logger.info("%s %s shard %d: nothing to do, %d reused", name, partition, shard, state.ended)
    counts = state.model_dump(include={"accepted", "rejected", "failed"})
    return ShardReport(
        stage=name, partition=partition, shard=shard, **counts, reused=state.ended, calls=0, replayed=0
    )  # fmt: skip


def _run(sheet: Sheet) -> ShardReport:
    logger.info(
        "%s %s shard %d: %d records, %d reused",
        sheet.stage.name, sheet.partition, sheet.shard, len(sheet.expected), sheet.reused,
    )  # fmt: skip
    with rare_collections():
        fresh, replayed = asyncio.run(_work(sheet)) if sheet.left else (Fresh(), 0)
    report = report_on(sheet, fresh, replayed)
    if fresh.ended:
        logger.info("%s", _summary(report, fresh))
    raise_if_unfinished(sheet, fresh)
    return report


async def _work(sheet: Sheet) -> tuple[Fresh, int]:
    """What came, saved now and then while others are still under way, and how many answers were replayed."""
    journal = shard_journal(
        sheet.work, Place(recipe_id=sheet.recipe.recipe_id, partition=sheet.partition, shard=sheet.shard)
    )
    journal.load()
    saver = _Saver(sheet)
    window = _WINDOW * sheet.work.settings.llm_concurrency
    try:
        async with sheet.work.client(sheet.stage.name) as endpoint, journal, spending(sheet) as meter:
            client = JournaledClient(meter(endpoint), journal)
            attempts = Attempts(sheet.stage, sheet.asking, client, window, proven=sheet.proven())
            async with aclosing(attempts.outcomes(sheet.missing())) as arriving:
                async for outcome in arriving:
                    saver.add(outcome)
            saver.begin()  # while the connections close
    except BudgetSpentError as error:
        left = sheet.left - saver.unsaved
        logger.error("%d of %d segments are left: %s", left, len(sheet.expected), error)
        raise
    except EndpointError as error:
        raise explain(error, sheet.work, sheet.stage.name) from error
    finally:
        await saver.finish()
    journal.discard()
    return saver.fresh, client.replayed


class _Saver:
    """Saves outcomes beside the work: every few seconds, and when only the last calls are still out."""

    def __init__(self, sheet: Sheet) -> None:
        self.fresh = Fresh()
        self._sheet = sheet
        self._waiting: list[Outcome] = []
        self._due = time.monotonic() + _SAVE_EVERY_S
        self._nearly_all = sheet.left - sheet.work.settings.llm_concurrency
        self._task: asyncio.Task[None] | None = None

    @property
    def unsaved(self) -> int:
        """Outcomes that wait for the next save."""
        return len(self._waiting)

    def add(self, outcome: Outcome) -> None:
        """One more; raises what an earlier save met."""
        self.fresh.add(outcome)
        self._waiting.append(outcome)
        if self._task and self._task.done():
            self._task.result()
        if time.monotonic() >= self._due or self.fresh.ended == self._nearly_all:
            self.begin()

    def begin(self) -> None:
        """Saves what there is, unless that is under way."""
        if self._task is None and self._waiting:
            self._task = asyncio.create_task(self._save())

    async def finish(self) -> None:
        """The rest."""
        if self._task:
            await self._task
        if self._waiting:
            await self._save()

    async def _save(self) -> None:
        started, count = time.monotonic(), len(self._waiting)
        await asyncio.to_thread(self._sheet.save, self._waiting[:count])
        now = time.monotonic()
        del self._waiting[:count]
        self._task = None
        self._due = now + max(_SAVE_EVERY_S, (now - started) / _SAVING_SHARE)


def report_on(sheet: Sheet, fresh: Fresh, replayed: int) -> ShardReport:
    """Counts over the whole shard and of what is fresh.

    Raises:
        ReconcileError: a record has no outcome.
    """
    counts = sheet.counts()
    return ShardReport(
        stage=sheet.stage.name,
        partition=sheet.partition,
        shard=sheet.shard,
        accepted=counts["accepted"],
        rejected=counts["rejected"],
        failed=counts["failed"],
        reused=sheet.reused,
        calls=fresh.calls,
        replayed=replayed,
    )


def _summary(report: ShardReport, fresh: Fresh) -> str:
    """One line: what came out, and where every call went."""
    wasted = ", ".join(f"{count} {kind}" for kind, count in fresh.faults.most_common()) or "none"
    return (
        f"{report.accepted} accepted, {report.rejected} rejected, {report.failed} failed; {report.calls} calls,"
        f" of which without a usable answer: {wasted}; {report.replayed} answers from the journal"
    )
