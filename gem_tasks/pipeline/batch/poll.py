"""One poll of the endpoint for one shard: collect ended batches, then send missing requests.

Order matters: answers go to the journal, outcomes to the store and Postgres, then the batch is recorded as collected,
then its files are deleted. A worker may die between any two steps; the next worker repeats every step that was not
recorded.
"""

import logging
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

from gem_tasks.domain.base import Value
from gem_tasks.domain.chat import ChatRequest, FaultCounts, Usage
from gem_tasks.domain.record import Record
from gem_tasks.domain.stage import StageName
from gem_tasks.domain.take import FIRST, Take
from gem_tasks.errors import EndpointError, ErrorClass, UserError
from gem_tasks.lineage import BatchRow, EndState, Ledger
from gem_tasks.llm.batch.client import BatchClient
from gem_tasks.llm.batch.file import Part, split
from gem_tasks.llm.batch.protocol import BatchState
from gem_tasks.llm.usage.tokens import estimate_tokens
from gem_tasks.pipeline.batch.open_requests import PRICE_SHARE, ExpectedLines, OpenRequests
from gem_tasks.pipeline.journal.journal import Journal
from gem_tasks.pipeline.journal.places import shard_journal
from gem_tasks.pipeline.shard import budget
from gem_tasks.pipeline.shard.endpoint import raise_if_unfinished
from gem_tasks.pipeline.shard.job import ShardJob
from gem_tasks.pipeline.shard.outcomes import Outcomes
from gem_tasks.pipeline.shard.prefilter import scored, switch_off_drifted
from gem_tasks.pipeline.shard.run import ShardReport, report_on
from gem_tasks.pipeline.shard.spending import account, priced
from gem_tasks.pipeline.shard.tally import Tally

logger = logging.getLogger(__name__)

_QUEUE_FULL = frozenset({"token_limit_exceeded", "rate_limit_exceeded"})
"""Codes of a batch that failed because the endpoint's queue is full: retry later."""
_QUEUE_PATIENCE_S = 24 * 3600.0


class Pending(Value):
    """Running batches, as plain JSON that a deferral can carry."""

    stage: StageName
    partition: str
    shard: int
    batches: tuple[str, ...]
    calls: int = 0
    """Requests answered so far, of records that have ended."""
    ended: int = 0
    """Records that have ended so far."""
    queue_full_since: float | None = None
    """Time (epoch seconds) since which the endpoint has rejected batches because its queue is full."""
    take: Take = FIRST
    others: tuple["Pending", ...] = ()
    """Those of other takes of the shard."""

    @property
    def each(self) -> tuple["Pending", ...]:
        """One for each take that has running batches."""
        return (self.model_copy(update={"others": ()}), *self.others)

    @classmethod
    def of_takes(cls, found: Sequence["Pending"]) -> "Pending | None":
        """Several as one; None if there are none."""
        return found[0].model_copy(update={"others": tuple(found[1:])}) if found else None


class Poll:
    """One poll; the caller holds the shard's lock.

    Args:
        job: the stage over the shard.
        outcomes: the outcomes of the shard.
        ledger: connection that holds the lock.
        pending: counts of earlier polls.
        may_send: False in online mode, which only collects batches that are already submitted.
    """

    def __init__(
        self, job: ShardJob, outcomes: Outcomes, ledger: Ledger, pending: Pending, *, may_send: bool = True
    ) -> None:
        self._job, self._outcomes, self._ledger, self._pending = job, outcomes, ledger, pending
        self._may_send = may_send
        self._price = priced(job.work, job.name)
        self._tally = Tally()

    async def go(self) -> ShardReport | Pending | None:
        """Returns `Pending` while batches run, then the report; None if the remaining records are for online mode."""
        work, place = self._job.work, self._job.place
        journal = shard_journal(work, place)
        async with work.batches(self._job.name) as client:
            found = await self._under_way(client)
            if not all(state is None or state.ended for _, state in found):
                return self._waiting([row.batch_id or "" for row, _ in found])
            journal.load()
            collected = [row for row in self._ledger.batches.open(place) if row.state == "collected"]
            begun = bool(found or collected)
            if self._job.name == "filter" and self._outcomes.left and not begun:
                switch_off_drifted(work)
            requests = OpenRequests(
                self._job, self._records(begun=begun), journal, collected, self._price, client.dialects,
                answered=self._pending.calls > 0,
            )  # fmt: skip
            async with journal:
                problems = [await self._take_in(client, requests, journal, row, state) for row, state in found]
            requests.settle_refused()
            self._save(requests)
            if not self._may_send:
                return self._leave_the_rest(journal, problems)
            for problem in (requests.problem, *problems):
                if problem:
                    raise problem
            if self._queue_full([state for _, state in found]):
                return self._waiting([])
            if sent := await self._send(client, requests):
                return self._waiting(sent)
        requests.give_up()
        self._save(requests)
        journal.discard()
        self._ledger.batches.done(self._job.place)
        return self._report(requests.replayed)

    def _records(self, *, begun: bool) -> Iterator[Record]:
        """Records without an outcome. The prefilter no longer rejects submitted requests: they are paid for."""
        records = self._outcomes.missing() if self._outcomes.left else iter(())
        return records if begun or not self._outcomes.left else scored(self._job.work, self._job.name, records)

    def _leave_the_rest(self, journal: Journal, problems: Sequence[Exception | None]) -> None:
        """Ends batch mode for the shard. Failures of its batches no longer matter: online mode sends those requests."""
        for problem in filter(None, problems):
            logger.warning("%s", problem)
        if not self._outcomes.left:
            journal.discard()
        self._ledger.batches.done(self._job.place)
        logger.info("batches are in, %d segments are left for online mode", self._outcomes.left)

    def _queue_full(self, states: Sequence[BatchState | None]) -> bool:
        """Whether to submit the same requests again later.

        Raises:
            EndpointError: the queue has been full for a day.
        """
        if not states:  # the poll after a rejection, which submits again
            return False
        full = next((state for state in states if state and state.code in _QUEUE_FULL), None)
        since = self._pending.queue_full_since or time.time()
        self._pending = self._pending.model_copy(update={"queue_full_since": since if full else None})
        if full is None:
            return False
        logger.warning("the endpoint's queue is full and rejected %s: %s", full.batch_id, full.error)
        if time.time() - since > _QUEUE_PATIENCE_S:
            raise EndpointError(ErrorClass.RATE_LIMITED, f"the queue has been full for a day: {full.error}")
        return True

    async def _under_way(self, client: BatchClient) -> list[tuple[BatchRow, BatchState | None]]:
        """Submitted batches and their state. A batch that was only announced is looked up by its key."""
        found: list[tuple[BatchRow, BatchState | None]] = []
        for row in self._ledger.batches.open(self._job.place):
            if row.state == "announced":
                batch_id = await client.find(row.gem_key)
                if batch_id is None:
                    self._end(row, "lost", {})
                    continue
                logger.info("found %s, which a worker created and could not record", batch_id)
                self._ledger.batches.submitted(row.gem_key, batch_id)
                row = row.model_copy(update={"state": "submitted", "batch_id": batch_id})
            if row.state == "submitted" and row.batch_id:
                found.append((row, await client.state(row.batch_id)))
        return found

    async def _take_in(
        self, client: BatchClient, requests: OpenRequests, journal: Journal, row: BatchRow, state: BatchState | None
    ) -> Exception | None:
        """Reads an ended batch, and records it as soon as its answers are durable."""
        if state is None:
            logger.warning("the endpoint no longer knows %s: GEM resubmits its requests", row.batch_id)
            self._end(row, "lost", {})
            return None
        if state.status == "failed":
            self._end(row, "failed", {})
            return _failed(state)
        faults: dict[str, FaultCounts] = {}
        expected = ExpectedLines(row)
        async for line in client.lines(state):
            if expected.counts(line.custom_id):
                await requests.read(line, faults)
        requests.learn(faults)
        missing = expected.missing()
        if state.status != "cancelled":
            error_class = ErrorClass.TIMEOUT if state.status == "expired" else ErrorClass.SERVER_ERROR
            for custom_id in missing:
                requests.missed(custom_id, error_class, faults)
        logger.info("%s %s: %d of %d answered", row.batch_id, state.status, state.completed, state.total)
        self._save(requests)
        await journal.flush()
        self._end(row, "collected", faults, requests.take_spent())
        await client.forget(state)
        if state.status == "cancelled":
            return UserError(
                f"{state.batch_id} was cancelled after {state.completed} of {state.total} answers",
                "The answers are saved. Clear the task or rerun it to submit the rest.",
            )
        return None

    async def _send(self, client: BatchClient, requests: OpenRequests) -> list[str]:
        """Submits all open requests; returns the ids of the new batches.

        Raises:
            UserError: the budget is too small, or the endpoint's token counts cannot be trusted to enforce it.
        """
        sent: list[str] = []
        with TemporaryDirectory(prefix="gem-batch-") as folder:
            usd = 0.0

            def lines() -> Iterator[tuple[str, bytes]]:
                nonlocal usd
                for custom_id, request in requests.to_send():
                    usd += self._estimate(request, client.dialects.limit_of(request))
                    yield custom_id, client.line(custom_id, request)

            for part in split(lines(), Path(folder), max_bytes=client.max_bytes):
                if self._job.work.settings.budget_usd is not None:
                    requests.require_trust(self._job.asking.model)
                sent.append(await self._send_part(client, part, usd))
                usd = 0.0
        return sent

    async def _send_part(self, client: BatchClient, part: Part, usd: float) -> str:
        run_id = self._job.run.run_id
        row = BatchRow(
            gem_key=uuid4().hex,
            custom_ids=tuple(part.custom_ids),
            usd_reserved=self._reserve(usd),
            airflow_run_id=run_id,
        )
        self._ledger.batches.announce(self._job.place, row)
        try:
            batch_id = await client.submit(part.path, row.gem_key)
        except UserError:
            self._end(row, "lost", {})
            raise
        self._ledger.batches.submitted(row.gem_key, batch_id)
        part.path.unlink()
        logger.info("submitted %s with %d requests", batch_id, len(part.custom_ids))
        return batch_id

    def _reserve(self, usd: float) -> float:
        """Reserves the highest possible cost of a part.

        Raises:
            BudgetSpentError: it exceeds what the run may spend.
        """
        limit = self._job.work.settings.budget_usd
        if limit is None or not usd:
            return 0.0
        if not self._ledger.budgets.draw(account(self._job), limit, usd, usd):
            raise budget.spent(limit, usd)
        return usd

    def _end(self, row: BatchRow, state: EndState, faults: dict[str, FaultCounts], spent: float = 0.0) -> None:
        if row.usd_reserved:
            drawn_by = account(self._job).model_copy(update={"run_id": row.airflow_run_id or ""})
            self._ledger.budgets.hand_back(drawn_by, row.usd_reserved - spent)
        self._ledger.batches.ended(row.gem_key, state, faults)

    def _estimate(self, request: ChatRequest, limit: int) -> float:
        if self._price is None:
            return 0.0
        prompt = estimate_tokens(request.body)
        longest = Usage(prompt_tokens=prompt, cache_write_tokens=prompt, completion_tokens=limit)
        return self._price(longest) * PRICE_SHARE

    def _save(self, requests: OpenRequests) -> None:
        if ended := requests.take_ended():
            self._outcomes.save(ended)
            for outcome in ended:
                self._tally.add(outcome)

    def _waiting(self, batches: Sequence[str]) -> Pending:
        calls, ended = self._pending.calls + self._tally.calls, self._pending.ended + self._tally.ended
        return self._pending.model_copy(update={"batches": tuple(batches), "calls": calls, "ended": ended})

    def _report(self, replayed: int) -> ShardReport:
        report, before = report_on(self._job, self._outcomes, self._tally, replayed), self._pending
        report = report.model_copy(
            update={"reused": report.reused - before.ended, "calls": report.calls + before.calls}
        )
        logger.info("%s", report)
        raise_if_unfinished(self._job, self._tally)
        return report


def _failed(state: BatchState) -> Exception | None:
    """The error to raise for a batch that the endpoint rejected as a whole."""
    if state.code in _QUEUE_FULL:
        return None
    return UserError(
        f"{state.batch_id} failed as a whole ({state.code}): {state.error}",
        "No request was executed. Fix the reported problem, then clear the task or rerun it.",
    )
