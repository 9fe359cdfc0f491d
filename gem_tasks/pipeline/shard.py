"""One stage over one shard: ask for what is missing, save as answers arrive, account for every record.

Resumable by construction: outcomes are saved in small batches (object first, then one transaction), and a rerun asks
only for records without a final outcome. A rerun of a finished shard makes no call and writes nothing.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence

from gem_tasks.domain.base import Value
from gem_tasks.domain.outcome import Outcome
from gem_tasks.domain.record import Record
from gem_tasks.errors import RETRYABLE, EndpointError, ErrorClass, ReconcileError, UserError
from gem_tasks.lineage import RunContext
from gem_tasks.pipeline.attempt import attempt
from gem_tasks.pipeline.records import load_records
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.settings import StageName
from gem_tasks.stages import stage as stage_named
from gem_tasks.store import keys, shards

logger = logging.getLogger(__name__)

_SAVE_EVERY = 50
"""Outcomes per save: what a killed worker loses at most, beside the calls in flight."""
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


def run_shard(work: Workspace, name: StageName, partition: str, shard: int, run: RunContext) -> ShardReport:
    """Brings every record of the shard to an outcome of the stage under the current recipe.

    Raises:
        UserError: the endpoint refuses the key or does not know the model.
        EndpointError: the endpoint failed for some records, or on the last try for most; what did arrive is saved, so
            a retry goes on from there.
        ReconcileError: records and outcomes do not add up.
    """
    sheet = _Sheet(work, name, partition, shard, run)
    reused = len(sheet.outcomes)
    missing = [record for record in sheet.records if record.segment.segment_id not in sheet.outcomes]
    logger.info("%s %s shard %d: %d records, %d reused", name, partition, shard, len(sheet.records), reused)
    fresh = asyncio.run(_work(sheet, missing)) if missing else []
    sheet.reconcile()
    _raise_if_unfinished(fresh, run)
    kinds = [outcome.kind for outcome in sheet.outcomes.values()]
    return ShardReport(
        stage=name,
        partition=partition,
        shard=shard,
        accepted=kinds.count("accepted"),
        rejected=kinds.count("rejected"),
        failed=kinds.count("failed"),
        reused=reused,
        calls=sum(outcome.cost.calls for outcome in fresh),
    )


class _Sheet:
    """The outcomes of one shard: those kept from before, and those of this run as they are saved."""

    def __init__(self, work: Workspace, name: StageName, partition: str, shard: int, run: RunContext) -> None:
        self.work, self.stage, self.run = work, stage_named(name), run
        self.partition, self.shard = partition, shard
        self.recipe = work.chain.by_stage[name]
        self.key = keys.stage_key(name, self.recipe.recipe_id, partition, shard)
        self.records: list[Record] = load_records(work, name, partition, shard)
        self.outcomes: dict[str, Outcome] = self._kept()

    def _kept(self) -> dict[str, Outcome]:
        """Final outcomes that Postgres knows; the object alone proves nothing."""
        with self.work.ledger() as ledger:
            known = ledger.outcomes(self.partition, self.shard, self.recipe.recipe_id)
        final = {segment for segment, (_, error_class) in known.items() if error_class not in RETRYABLE}
        if not final:
            return {}
        stored = shards.decode_outcomes(self.work.fetch(self.key))
        return {outcome.segment_id: outcome for outcome in stored if outcome.segment_id in final}

    def save(self, fresh: Sequence[Outcome]) -> None:
        """Object first, then one transaction: a crash between leaves an object that the next save overwrites."""
        self.outcomes.update((outcome.segment_id, outcome) for outcome in fresh)
        self.work.store.put(self.key, shards.encode_outcomes(list(self.outcomes.values())))
        with self.work.ledger() as ledger:
            ledger.commit_outcomes(self.recipe, self.partition, self.shard, fresh, self.key, self.run)
        for outcome in fresh:
            if outcome.kind == "failed":
                logger.warning(
                    "segment %s failed in %s (%s): %s",
                    outcome.segment_id, self.stage.name, outcome.error_class, outcome.detail[:300],
                )  # fmt: skip

    def reconcile(self) -> None:
        """Every record has one outcome, and no outcome is without a record."""
        expected = {record.segment.segment_id for record in self.records}
        if lost := expected - set(self.outcomes):
            raise ReconcileError(f"{self.key}: {len(lost)} records without an outcome, such as {min(lost)}")


async def _work(sheet: _Sheet, missing: Sequence[Record]) -> list[Outcome]:
    """All new outcomes; saved in batches while others are still under way."""
    fresh: list[Outcome] = []
    saved = 0
    try:
        async for outcome in _attempts(sheet, missing):
            fresh.append(outcome)
            if len(fresh) - saved >= _SAVE_EVERY:
                await asyncio.to_thread(sheet.save, fresh[saved:])
                saved = len(fresh)
    except EndpointError as error:
        raise _explain(error, sheet) from error
    finally:
        if len(fresh) > saved:
            sheet.save(fresh[saved:])
    return fresh


async def _attempts(sheet: _Sheet, missing: Sequence[Record]) -> AsyncIterator[Outcome]:
    """Outcomes in the order of arrival; the client bounds how many are under way."""
    model = sheet.work.settings.model_for(sheet.stage.name)
    async with sheet.work.client() as client:
        tasks = [asyncio.create_task(attempt(sheet.stage, model, record, client)) for record in missing]
        try:
            for done in asyncio.as_completed(tasks):
                yield await done
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


def _explain(error: EndpointError, sheet: _Sheet) -> UserError:
    """One line for the person who configured the endpoint."""
    name, base_url = sheet.stage.name, sheet.work.settings.endpoint
    model = sheet.work.settings.model_for(name)
    return UserError(
        f"{base_url} refuses model {model!r} for stage {name} ({error.error_class}): {error.detail}",
        "Check GEM_LLM_BASE_URL, GEM_LLM_API_KEY and GEM_LLM_MODEL, for instance with `gem doctor`, and run it again.",
    )


def _raise_if_unfinished(fresh: Sequence[Outcome], run: RunContext) -> None:
    """Leaves transport failures to the next try; the last one accepts a few, which a later run will ask for again."""
    broken = [outcome for outcome in fresh if not outcome.final]
    allowed = _BROKEN_ENDPOINT_SHARE * len(fresh) if run.last_try else 0
    if len(broken) > allowed:
        error_class, detail = broken[-1].error_class or ErrorClass.CONNECTION, broken[-1].detail
        raise EndpointError(error_class, f"{len(broken)} of {len(fresh)} segments got no answer; the last: {detail}")
