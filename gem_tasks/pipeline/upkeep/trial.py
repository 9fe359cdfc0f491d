"""Tries a candidate prompt on stored segments, and compares it with the results of the current prompt.

It asks and pays the endpoint, and has no other effect: no journal, no object, no row.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

from gem_tasks.checks import run_checks
from gem_tasks.checks.reading.case import Evidence
from gem_tasks.domain.base import Value
from gem_tasks.domain.chat import ChatRequest, Usage
from gem_tasks.domain.finding import Finding
from gem_tasks.domain.judgement import Judgement
from gem_tasks.domain.outcome import Outcome
from gem_tasks.domain.record import Record
from gem_tasks.domain.stage import StageName
from gem_tasks.domain.trajectory import Trajectory
from gem_tasks.domain.workflow import Extraction
from gem_tasks.errors import UserError
from gem_tasks.lineage.prompts import StoredSegment
from gem_tasks.llm.usage.metered import MeteredClient
from gem_tasks.llm.usage.prices import Pricing, pricing
from gem_tasks.llm.usage.tokens import estimate_tokens
from gem_tasks.pipeline.shard.attempt import attempt
from gem_tasks.pipeline.shard.budget import BudgetSpentError, OwnBudget
from gem_tasks.pipeline.shard.records import inputs, load_records, output_of
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.prompts import Prompt
from gem_tasks.stages import stage
from gem_tasks.store import shards

MOST = 50
"""Maximum number of segments in a trial; to try more, run the candidate as a variant."""


class Side(Value):
    """Result of one prompt for a segment."""

    outcome: str
    """`accepted`, `rejected` or `failed`."""
    why: str | None = None
    """Reason or error class."""
    detail: str = ""
    output: Any = None
    """The stage's output as plain JSON, if accepted."""
    size: dict[str, int] | None = None
    """Counts of a trajectory's messages, tools and calls."""
    findings: tuple[str, ...] = ()
    """Findings of the deterministic checks on a trajectory."""
    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    usd: float | None = None


class Trial(Value):
    """Both results for one segment."""

    segment_id: str
    uri: str
    partition: str
    current: Side | None = None
    """None if the current prompt has no result for it."""
    candidate: Side | None = None
    """None if it was not tried; see `not_tried`."""
    not_tried: str = ""


class Candidate:
    """A prompt under trial.

    Args:
        work: workspace with the current recipes.
        name: stage of the prompt.
        prompt: a prompt that fulfils the contract of its name.
        ids: ids of segments, documents or trajectories.

    Raises:
        UserError: an id matches nothing, or there are too many segments.
    """

    def __init__(self, work: Workspace, name: StageName, prompt: Prompt, ids: Sequence[str]) -> None:
        self._work, self._stage = work, work.chain.stage(name)
        self._name: StageName = name
        self._asking = work.chain.asking(name).model_copy(update={"prompt": prompt})
        self._rows = _find(work, ids)
        self._records = {row.segment_id: _record(work, name, row) for row in self._rows}
        self.endpoint = work.settings.endpoint_for(name)
        self.model = self._asking.model
        self._price = pricing(self.model, self.endpoint, work.settings.llm_prices)

    @property
    def segments(self) -> int:
        """Number of segments that can be tried."""
        return sum(record is not None for record in self._records.values())

    @property
    def most_usd(self) -> float | None:
        """Cost of the first answers in USD if each has its maximum length; None if the price is unknown."""
        if self._price is None:
            return None
        requests = [self._request(record) for record in self._records.values() if record]
        return sum(_most(self._price, request) for request in requests)

    def run(self, budget_usd: float | None) -> list[Trial]:
        """Asks the endpoint, and returns both results per segment.

        Raises:
            UserError: there is a budget but no price, the model is unknown, or the key is refused.
            EndpointError: the same faults, with the endpoint's message.
        """
        if budget_usd is not None and self._price is None:
            raise UserError(
                f"No price is known for {self.model!r}, so GEM cannot enforce the budget", "Set GEM_LLM_PRICES."
            )
        outcomes = asyncio.run(self._ask(budget_usd))
        return [self._trial(row, outcomes.get(row.segment_id)) for row in self._rows]

    async def _ask(self, budget_usd: float | None) -> dict[str, Outcome | BudgetSpentError]:
        async with self._work.client(self._name) as endpoint:
            budget = OwnBudget(budget_usd) if budget_usd is not None else None
            client = (
                MeteredClient(endpoint, self._price, budget, limit_of=endpoint.limit_of) if self._price else endpoint
            )

            async def one(record: Record) -> Outcome | BudgetSpentError:
                try:
                    return await attempt(self._stage, self._asking, record, client)
                except BudgetSpentError as error:
                    return error

            waiting = {key: one(record) for key, record in self._records.items() if record}
            return dict(zip(waiting, await asyncio.gather(*waiting.values()), strict=True))

    def _trial(self, row: StoredSegment, found: Outcome | BudgetSpentError | None) -> Trial:
        record = self._records[row.segment_id]
        trial = Trial(segment_id=row.segment_id, uri=row.uri, partition=row.partition)
        if record is None or found is None:
            before = " and ".join(self._stage.needs)
            return trial.model_copy(update={"not_tried": f"no accepted result of {before} under the current recipes"})
        trial = trial.model_copy(update={"current": self._current(row, record)})
        if isinstance(found, BudgetSpentError):
            return trial.model_copy(update={"not_tried": found.cause})
        return trial.model_copy(update={"candidate": self._side(found, record)})

    def _current(self, row: StoredSegment, record: Record) -> Side | None:
        recipe_id = self._work.chain.id_of(self._name)
        with self._work.ledger() as ledger:
            key = ledger.prompts.result_object(row.segment_id, recipe_id)
        if key is None:
            return None
        stored = shards.decode_outcomes(self._work.fetch(key))
        found = next((outcome for outcome in stored if outcome.segment_id == row.segment_id), None)
        return self._side(found, record) if found else None

    def _side(self, outcome: Outcome, record: Record) -> Side:
        output = self._stage.output.model_validate_json(outcome.payload) if outcome.payload else None
        trajectory = output if isinstance(output, Trajectory) else None
        cost = outcome.cost
        return Side(
            outcome=outcome.kind,
            why=outcome.reason or outcome.error_class,
            detail=outcome.detail,
            output=output.model_dump(mode="json") if output else None,
            size=trajectory.size.model_dump() if trajectory else None,
            findings=tuple(_line(finding) for finding in _findings(output, record)),
            calls=cost.calls,
            prompt_tokens=cost.usage.prompt_tokens,
            completion_tokens=cost.usage.completion_tokens,
            usd=cost.usd,
        )

    def _request(self, record: Record) -> ChatRequest:
        messages = self._stage.request(record, self._asking.prompt)
        return ChatRequest(model=self.model, messages=messages, sampling=self._asking.sampling)


def _find(work: Workspace, ids: Sequence[str]) -> list[StoredSegment]:
    rows: dict[str, StoredSegment] = {}
    with work.ledger() as ledger:
        for id_ in ids:
            found = ledger.prompts.find_segments(id_, MOST + 1)
            if not found:
                raise UserError(
                    f"{id_!r} is not a segment, document or current trajectory",
                    "`gem lineage` shows ids; for a trajectory, its first six characters are enough.",
                )
            rows |= {row.segment_id: row for row in found}
    if len(rows) > MOST:
        raise UserError(f"That is more than {MOST} segments", "Name fewer.")
    return list(rows.values())


def _record(work: Workspace, name: StageName, row: StoredSegment) -> Record | None:
    """The stage's input, with the extraction for the checks; None if an earlier stage has not accepted the segment."""
    segment_id, place = row.segment_id, (row.partition, row.shard)
    if segment_id not in inputs(work, name, *place):
        return None
    record = next(load_records(work, name, *place, {segment_id}))
    if "extract" not in record.outputs and stage(name).output is Trajectory:
        extraction = output_of(work, "extract", *place).get(segment_id)
        record = record.with_output("extract", extraction) if extraction else record
    return record


def _findings(output: Value | None, record: Record) -> Sequence[Finding]:
    if isinstance(output, Trajectory):
        return run_checks(output, Evidence(record.segment.text, record.output("extract", Extraction)))
    return output.warnings if isinstance(output, Judgement) else ()


def _line(finding: Finding) -> str:
    place = "" if finding.message_index is None else f"message {finding.message_index}: "
    return f"{finding.severity} {finding.check}: {place}{finding.detail}"


def _most(price: Pricing, request: ChatRequest) -> float:
    prompt = estimate_tokens(request.body)
    return price(Usage(prompt_tokens=prompt, completion_tokens=request.sampling.max_tokens))
