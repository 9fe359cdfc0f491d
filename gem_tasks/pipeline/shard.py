"""One stage over one shard: ask for what is missing, save as answers arrive, account for every record.

Resumable by construction: every completion goes to the journal as it arrives, outcomes are saved now and then (object
first, then one transaction) so that progress shows, and a rerun asks only for what neither has. A rerun of a finished
shard makes no call and writes nothing.
"""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing

from gem_tasks.domain.base import Value
from gem_tasks.domain.outcome import Outcome
from gem_tasks.domain.record import Record
from gem_tasks.errors import EndpointError, UserError
from gem_tasks.lineage import RunContext
from gem_tasks.pipeline.attempt import attempt
from gem_tasks.pipeline.budget import BudgetSpentError
from gem_tasks.pipeline.collector import rare_collections
from gem_tasks.pipeline.fresh import Fresh
from gem_tasks.pipeline.journal import JournaledClient
from gem_tasks.pipeline.sheet import Sheet
from gem_tasks.pipeline.spending import spending
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.ports import ChatClient
from gem_tasks.settings import StageName

logger = logging.getLogger(__name__)

_SAVE_EVERY_S = 10.0
_SAVING_SHARE = 0.05
"""Saving rewrites the shard's object, so a large one is saved less often: at most this share of the time."""
_WINDOW = 2
"""Records under way per request in flight: those beyond wait for a slot, back off, or are being written down."""
_BROKEN_ENDPOINT_SHARE = 0.5
"""With more transport failures than this on the last try, it is the endpoint that failed, not the segments."""


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

    Raises:
        UserError: the endpoint refuses the key or does not know the model, or the run's budget is spent.
        EndpointError: the endpoint failed for some records, or on the last try for most; what did arrive is saved, so
            a retry goes on from there.
        ReconcileError: records and outcomes do not add up.
    """
    sheet = Sheet(work, name, partition, shard, run)
    logger.info("%s %s shard %d: %d records, %d reused", name, partition, shard, len(sheet.expected), sheet.reused)
    with rare_collections():
        fresh, replayed = asyncio.run(_work(sheet)) if sheet.left else (Fresh(), 0)
    report = report_on(sheet, fresh, replayed)
    if fresh.ended:
        logger.info("%s", _summary(report, fresh))
    raise_if_unfinished(fresh, run)
    return report


async def _work(sheet: Sheet) -> tuple[Fresh, int]:
    """What came, saved now and then while others are still under way, and how many answers were replayed."""
    journal = sheet.work.journal(sheet.recipe.recipe_id, sheet.partition, sheet.shard)
    journal.load()
    saver = _Saver(sheet)
    try:
        async with sheet.work.client(sheet.stage.name) as endpoint, journal, spending(sheet) as meter:
            client = JournaledClient(meter(endpoint), journal)
            async with aclosing(_attempts(sheet, sheet.missing(), client)) as arriving:
                async for outcome in arriving:
                    saver.add(outcome)
            saver.begin()  # while the connections close
    except BudgetSpentError as error:
        left = sheet.left - saver.unsaved
        logger.error("%d of %d segments are left: %s", left, len(sheet.expected), error)
        raise
    except EndpointError as error:
        raise explain(error, sheet) from error
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


async def _attempts(sheet: Sheet, waiting: Iterator[Record], client: ChatClient) -> AsyncGenerator[Outcome]:
    """Outcomes in the order of arrival."""
    asking = sheet.work.chain.asking(sheet.stage.name)
    window = _WINDOW * sheet.work.settings.llm_concurrency
    running: set[asyncio.Task[Outcome]] = set()
    arrived: asyncio.Queue[asyncio.Task[Outcome]] = asyncio.Queue()

    def start() -> None:
        if (record := next(waiting, None)) is not None:
            task = asyncio.create_task(attempt(sheet.stage, asking, record, client))
            task.add_done_callback(arrived.put_nowait)
            running.add(task)

    try:
        for _ in range(window):
            start()
        while running:
            task = await arrived.get()
            running.discard(task)
            start()
            yield task.result()
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


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


def explain(error: EndpointError, sheet: Sheet) -> UserError:
    """One line for the person who configured the endpoint."""
    name, settings = sheet.stage.name, sheet.work.settings
    base_url, model = settings.endpoint_for(name), settings.model_for(name)
    return UserError(
        f"{base_url} refuses model {model!r} for stage {name} ({error.error_class}): {error.detail}",
        "Check GEM_LLM_BASE_URL, GEM_LLM_API_KEY and GEM_LLM_MODEL, for instance with `gem doctor`, and run it again.",
    )


def raise_if_unfinished(fresh: Fresh, run: RunContext, before: int = 0) -> None:
    """Leaves transport failures to the next try; the last one accepts a few, which a later run will ask for again.

    Args:
        fresh: what this run brought.
        run: whether it is the last try.
        before: outcomes of earlier visits of the same run.

    Raises:
        EndpointError: there are too many.
    """
    fresh.raise_if_broken(before, _BROKEN_ENDPOINT_SHARE if run.last_try else 0)
