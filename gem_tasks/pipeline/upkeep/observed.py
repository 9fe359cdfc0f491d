"""Figures of the task that has just run, for a metrics system; from Postgres, so metrics and lineage agree."""

from pydantic import Field

from gem_tasks.domain.base import Value
from gem_tasks.domain.stage import StageName
from gem_tasks.lineage import RunContext
from gem_tasks.pipeline.workspace import Workspace


class Observed(Value):
    """One attempt of one stage over one shard."""

    stage: StageName
    segments: dict[str, int] = Field(default_factory=dict)
    """Segments by outcome: accepted, rejected, failed."""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    usd: float = 0.0
    latencies_ms: tuple[int, ...] = ()
    """Per segment that called the model, the sum over its calls."""


def observed(work: Workspace, stage: StageName, partition: str, shard: int, run: RunContext) -> Observed:
    """The results of this attempt; empty if every result already existed."""
    with work.ledger() as ledger:
        rows = ledger.observed.of_task(partition, shard, work.recipe_ids(stage), run)
    return Observed(
        stage=stage,
        segments={row.outcome: row.segments for row in rows},
        prompt_tokens=sum(row.prompt_tokens for row in rows),
        completion_tokens=sum(row.completion_tokens for row in rows),
        usd=sum(row.usd or 0 for row in rows),
        latencies_ms=tuple(value for row in rows for value in row.latencies_ms or ()),
    )
