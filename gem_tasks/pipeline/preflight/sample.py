"""Runs a sample of texts through all stages without a run: publishes nothing, and records no result.

The answers go to a separate journal (`sample_journal`), where the run finds them when its shards reach the same texts:
an answer for the sample is paid for once.
"""

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack
from typing import NamedTuple

from gem_tasks.domain.base import Value
from gem_tasks.domain.corpus import Segment
from gem_tasks.domain.outcome import Cost, OutcomeKind
from gem_tasks.domain.record import Record
from gem_tasks.domain.stage import STAGE_NAMES, StageName
from gem_tasks.domain.take import takes
from gem_tasks.domain.workflow import Extraction
from gem_tasks.errors import EndpointError, ErrorClass
from gem_tasks.llm.usage.metered import Allowance, MeteredClient
from gem_tasks.llm.usage.prices import pricing
from gem_tasks.pipeline.journal.journal import JournaledClient
from gem_tasks.pipeline.journal.places import sample_journal
from gem_tasks.pipeline.recipes import Asking, takes_of
from gem_tasks.pipeline.shard.attempt import attempt
from gem_tasks.pipeline.shard.budget import OwnBudget
from gem_tasks.pipeline.shard.endpoint import explain
from gem_tasks.pipeline.shard.prefilter import current
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.settings import Settings
from gem_tasks.stages import STAGES

_TOO_LITTLE = "The budget is too small even for the sample: take a smaller sample (--estimate 5), or raise the budget."
Told = Callable[[int], None]
"""Called with the number of finished texts."""


class Step(Value):
    """How a text ended in a stage, and its cost."""

    stage: StageName
    kind: OutcomeKind
    error_class: ErrorClass | None = None
    detail: str = ""
    cost: Cost = Cost()


class Measured(Value):
    """A text, with the stages that it reached."""

    segment_id: str
    uri: str
    steps: tuple[Step, ...]
    """Those of its first conversation; a run makes all of them."""
    conversations: int = 1
    """Number that a run makes of the text, by the workflows that were found in it."""


class Sampled(Value):
    """Result of a sample."""

    texts: tuple[Measured, ...]
    replayed: int
    """Answers that an earlier estimate already paid for."""


class _Asked(NamedTuple):
    """A stage's client, and how the stage asks."""

    asking: Asking
    client: JournaledClient


def measure(
    work: Workspace, segments: Sequence[Segment], budget_usd: float | None, told: Told = lambda done: None
) -> Sampled:
    """Runs every segment through the stages that it reaches.

    Args:
        work: workspace with the recipes of the run.
        segments: the sample.
        budget_usd: maximum cost of the sample; stages without a known price are not counted.
        told: called with the number of finished texts.

    Raises:
        UserError: the configuration is at fault, or the budget is too small. Answers received so far are kept.
        StoreError: answers cannot be saved.
    """
    budget = OwnBudget(budget_usd, _TOO_LITTLE) if budget_usd else None
    return asyncio.run(_measure(work, segments, budget, told))


async def _measure(work: Workspace, segments: Sequence[Segment], budget: Allowance | None, told: Told) -> Sampled:
    chain, prefilter = work.chain, current(work)
    records = iter([Record(segment=each, opened=chain.opened, plan=chain.plan(each.segment_id)) for each in segments])
    done = itertools.count(1)

    async def one(record: Record) -> Measured:
        made: dict[StageName, Value] = {}
        steps = [step async for step in _steps(work, record, asked, made)]
        told(next(done))
        return Measured(
            segment_id=record.segment.segment_id,
            uri=record.segment.document_uri,
            steps=tuple(steps),
            conversations=_conversations(work.settings, made.get("extract")),
        )

    async with AsyncExitStack() as stack:
        asked: dict[StageName, _Asked] = {name: await _open(work, name, budget, stack) for name in STAGE_NAMES}
        scored = prefilter.scored(records) if prefilter else records
        tasks = [asyncio.create_task(one(record)) for record in scored]
        try:
            texts = await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
    return Sampled(texts=tuple(texts), replayed=sum(each.client.replayed for each in asked.values()))


async def _open(work: Workspace, name: StageName, budget: Allowance | None, stack: AsyncExitStack) -> _Asked:
    settings, journal = work.settings, sample_journal(work, work.chain.id_of(name))
    await asyncio.to_thread(journal.load)
    endpoint = await stack.enter_async_context(work.client(name))
    await stack.enter_async_context(journal)
    stack.push_async_callback(journal.flush)  # runs on other machines find the answers only in the store
    price = pricing(settings.model_for(name), settings.endpoint_for(name), settings.llm_prices)
    client = MeteredClient(endpoint, price, budget, limit_of=endpoint.limit_of) if price else endpoint
    return _Asked(work.chain.asking(name), JournaledClient(client, journal))


def _conversations(settings: Settings, extracted: Value | None) -> int:
    found = len(extracted.workflows) if isinstance(extracted, Extraction) else 1
    return len(takes(min(found, settings.max_workflows), settings.rollouts))


async def _steps(
    work: Workspace, record: Record, asked: dict[StageName, _Asked], made: dict[StageName, Value]
) -> AsyncIterator[Step]:
    """Yields the stages that a text reaches, in order; `made` receives their outputs."""
    kind: OutcomeKind = "accepted"
    for stage in STAGES:
        if kind != takes_of(work.chain.by_stage[stage.name]):
            return
        try:
            outcome = await attempt(stage, asked[stage.name].asking, record, asked[stage.name].client)
        except EndpointError as error:
            raise explain(error, work, stage.name) from error
        kind = outcome.kind
        if outcome.payload:
            made[stage.name] = stage.output.model_validate_json(outcome.payload)
            record = record.with_output(stage.name, made[stage.name])
        yield Step(
            stage=stage.name, kind=kind, error_class=outcome.error_class, detail=outcome.detail, cost=outcome.cost
        )
