"""The records of a shard between two polls of the endpoint, which are answered by the journal, open, or ended.

Nothing is kept in memory between polls. A record's state follows from the journal (answers) and from the recorded
batches (faults), so every worker that polls next finds the same open requests.
"""

import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from gem_tasks.domain.chat import ChatRequest, Completion, FaultCounts, merged
from gem_tasks.domain.outcome import Outcome
from gem_tasks.domain.record import Record
from gem_tasks.errors import CONFIGURATION, RETRYABLE, EndpointError, ErrorClass
from gem_tasks.lineage import BatchRow
from gem_tasks.llm.batch.dialects import BatchDialects
from gem_tasks.llm.batch.file import Line
from gem_tasks.llm.dialects.complaints import is_ours, parameter_of
from gem_tasks.llm.usage.counts import filled_in
from gem_tasks.llm.usage.metered import Reckoning
from gem_tasks.llm.usage.prices import Pricing
from gem_tasks.pipeline.journal.journal import Journal
from gem_tasks.pipeline.shard.attempt import Attempt
from gem_tasks.pipeline.shard.doubts import Doubts
from gem_tasks.pipeline.shard.job import ShardJob

logger = logging.getLogger(__name__)

_MAX_FAULTS = 3
"""After this many batches without an answer, GEM no longer submits a request."""
_SHOWN = 80
PRICE_SHARE = 0.5
"""Price of a token in a batch as a share of its online price, at all providers: OpenAI to Mistral."""


class OpenRequests:
    """A new one is built for each poll.

    Args:
        job: the stage over the shard.
        records: records without an outcome.
        journal: already loaded; new answers are appended to it.
        rows: batches of this shard that earlier polls collected.
        price: online price of the model.
        dialects: dialects in which batches were and will be written.
        answered: whether the endpoint answered requests in earlier polls.
    """

    def __init__(
        self,
        job: ShardJob,
        records: Iterable[Record],
        journal: Journal,
        rows: Iterable[BatchRow],
        price: Pricing | None,
        dialects: BatchDialects,
        *,
        answered: bool = False,
    ) -> None:
        self.problem: EndpointError | None = None
        """A fault of the configuration: every other request would fail in the same way."""
        self.replayed = 0
        """Number of answers that the journal already had."""
        self._journal, self._dialects = journal, dialects
        self._reckoning = Reckoning(lambda usage: price(usage) * PRICE_SHARE) if price else None
        self._complaints: list[tuple[str, EndpointError]] = []
        self._faults = _sum(row.faults for row in rows)
        self._spent = 0.0
        self._waiting: dict[str, Attempt] = {}
        self._ended: list[Outcome] = []
        self._doubts = Doubts(proven=job.proven())
        self._doubts.answered = answered
        for record in records:
            self._advance(Attempt(job.stage, job.asking, record))

    def to_send(self) -> Iterator[tuple[str, ChatRequest]]:
        """Open requests by custom id, which is the segment and the number of the request."""
        for custom_id, attempt in self._waiting.items():
            if attempt.request and not self._exhausted(custom_id):
                yield custom_id, attempt.request

    def settle_refused(self) -> None:
        """Decides, after all lines of the batches were read, what refused requests mean."""
        try:
            self._ended += self._doubts.end()
        except EndpointError as error:
            self.problem = self.problem or error

    def take_ended(self) -> list[Outcome]:
        """Outcomes since the last call."""
        ended, self._ended = self._ended, []
        return ended

    def take_spent(self) -> float:
        """Estimated cost in USD of answers since the last call, for models with a known price."""
        spent, self._spent = self._spent, 0.0
        return spent

    def require_trust(self, model: str) -> None:
        """Raises, before more is spent, as `Reckoning.require_trust`."""
        if self._reckoning:
            self._reckoning.require_trust(model)

    def give_up(self) -> None:
        """Fails every record that no batch answered."""
        for custom_id, attempt in list(self._waiting.items()):
            counts = self._faults.get(custom_id, {})
            error_class = max(counts, key=counts.__getitem__, default=ErrorClass.SERVER_ERROR)
            error = EndpointError(error_class, f"{sum(counts.values())} batches returned no answer")
            error.faults = counts
            attempt.failed(error)
            self._settle(custom_id, attempt)

    async def read(self, line: Line, faults: dict[str, FaultCounts]) -> None:
        """Reads the result of one request; adds faults that another batch may cure to `faults`."""
        attempt = self._waiting.get(line.custom_id)
        if attempt is None or attempt.request is None or line.result is None:
            return  # answered by an earlier poll, or never executed
        if isinstance(line.result, Completion):
            known = self._faults.get(line.custom_id, {})
            completion = filled_in(line.result, attempt.request.body)
            usd, reckoned = self._reckoning.take(attempt.request, completion) if self._reckoning else (None, 0.0)
            self._spent += reckoned
            completion = completion.model_copy(update={"faults": known, "usd": usd})
            await self._journal.append(attempt.request.key, completion)
            self._doubts.answered = True
            self._dialects.answered(attempt.request, completion)
            attempt.answered(completion)
            self._settle(line.custom_id, attempt)
        elif line.result.error_class in CONFIGURATION:
            self.problem = line.result
        elif line.result.error_class is ErrorClass.BAD_REQUEST:
            self._complaints.append((line.custom_id, line.result))
        elif line.result.error_class in RETRYABLE:
            self.missed(line.custom_id, line.result.error_class, faults)
        else:
            self._fail(line.custom_id, attempt, line.result)

    def learn(self, faults: dict[str, FaultCounts]) -> None:
        """Reads the complaints after all lines of a batch; the next batch uses what they teach.

        A complaint that teaches nothing is the text's fault; one about a field of every request stops the stage.
        """
        complaints, self._complaints = self._complaints, []
        for custom_id, error in complaints:
            attempt = self._waiting[custom_id]
            assert attempt.request, "only open requests are kept"  # noqa: S101
            named, answered = parameter_of(error.complaint, attempt.request), self._doubts.answered
            tried = self._faults.get(custom_id, {}).get(ErrorClass.BAD_REQUEST, 0)
            worth = (named or not answered) and tried < _MAX_FAULTS
            if worth and self._dialects.takes(attempt.request, error):
                self.missed(custom_id, ErrorClass.BAD_REQUEST, faults)
                continue
            error.parameter = named if named and not answered and is_ours(named, attempt.request) else ""
            try:
                self._fail(custom_id, attempt, error)
            except EndpointError as problem:
                self.problem = problem
        self._dialects.remember()

    def missed(self, custom_id: str, error_class: ErrorClass, faults: dict[str, FaultCounts]) -> None:
        """Notes that a request got no answer; another batch may bring one."""
        if custom_id in self._waiting:
            faults[custom_id] = {error_class: 1}
            self._faults[custom_id] = merged(self._faults.get(custom_id, {}), {error_class: 1})

    def _fail(self, custom_id: str, attempt: Attempt, error: EndpointError) -> None:
        error.faults = merged(self._faults.get(custom_id, {}), error.faults)
        attempt.failed(error)
        self._settle(custom_id, attempt)

    def _advance(self, attempt: Attempt) -> None:
        """Replays the journal's answers as far as they go."""
        while attempt.request and (found := self._journal.take(attempt.request.key)):
            self.replayed += 1
            self._doubts.answered = True
            attempt.answered(found)
        self._settle("", attempt)

    def _settle(self, custom_id: str, attempt: Attempt) -> None:
        self._waiting.pop(custom_id, None)
        if attempt.outcome:
            self._ended += self._doubts.settle(attempt.outcome)
        else:
            self._waiting[f"{attempt.segment_id}-{attempt.number}"] = attempt

    def _exhausted(self, custom_id: str) -> bool:
        """Whether a request has failed too often. Complaints that taught something are counted separately."""
        faults = self._faults.get(custom_id, {})
        taught = faults.get(ErrorClass.BAD_REQUEST, 0)
        return sum(faults.values()) - taught >= _MAX_FAULTS


class ExpectedLines:
    """Checks that a batch has one line for each of its requests, and no others."""

    def __init__(self, row: BatchRow) -> None:
        self._row, self._asked = row, frozenset(row.custom_ids)
        self._seen: Counter[str] = Counter()
        self._unknown, self._stranger = 0, ""

    def counts(self, custom_id: str) -> bool:
        """Whether to read this line. Of unknown lines only one example is kept: there may be millions."""
        if custom_id not in self._asked:
            self._unknown, self._stranger = self._unknown + 1, custom_id[:_SHOWN]
            return False
        self._seen[custom_id] += 1
        return self._seen[custom_id] == 1

    def missing(self) -> list[str]:
        """Requests without a line. Unexpected and duplicate lines are logged."""
        doubled = [custom_id for custom_id, count in self._seen.items() if count > 1]
        missing = [custom_id for custom_id in self._row.custom_ids if custom_id not in self._seen]
        if self._unknown:
            logger.warning(
                "%s: %d lines answer unknown requests, such as %s", self._row.batch_id, self._unknown, self._stranger
            )
        for what, found in (("duplicate", doubled), ("missing", missing)):
            if found:
                logger.warning("%s: %d %s lines, such as %s", self._row.batch_id, len(found), what, found[0])
        return missing


def _sum(several: Iterable[Mapping[str, FaultCounts]]) -> dict[str, FaultCounts]:
    total: dict[str, FaultCounts] = {}
    for faults in several:
        for custom_id, counts in faults.items():
            total[custom_id] = merged(total.get(custom_id, {}), counts)
    return total
