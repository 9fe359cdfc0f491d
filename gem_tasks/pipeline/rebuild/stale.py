"""Reports what the current code, prompts and models would recompute, why, and the cost. Postgres does the counting.

A segment waits at one stage, and from `generate` on each of its conversations does. From there GEM expects it to get
as far as last time; if it was never there, it continues with the probability that its stage accepts, so figures for
later stages are estimates.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from gem_tasks.domain.base import Value
from gem_tasks.domain.recipe import Recipe
from gem_tasks.domain.stage import EVERY_STAGE, PER_TAKE, StageName
from gem_tasks.domain.take import Take
from gem_tasks.lineage import Ledger
from gem_tasks.lineage.stale import StaleRow
from gem_tasks.pipeline.rebuild.estimate import Estimate, Rate, rates
from gem_tasks.pipeline.rebuild.ranges import Range, ranges
from gem_tasks.pipeline.recipes import Chain, reasons, takes_of
from gem_tasks.pipeline.workspace import Workspace

NEVER, RETRY = "never done", "retry"


class StaleStage(Value):
    """A stage of one partition, or of all."""

    stage: StageName
    why: dict[str, int]
    """Segments by reason; several reasons are joined into one name. Estimated segments are left out."""
    estimate: Estimate

    @property
    def known(self) -> int:
        """Segments that are counted, not estimated."""
        return sum(self.why.values())


class StalePartition(Value):
    """Waiting work of a partition, stage by stage."""

    partition: str
    stages: list[StaleStage]


class Stale(Value):
    """All waiting work."""

    partitions: list[StalePartition]
    stages: list[StaleStage]
    """Sums over the partitions."""
    total: Estimate
    basis: dict[StageName, str]
    """Source of each stage's estimate."""
    publish_only: list[str]
    """Complete partitions whose dataset still comes from older recipes."""
    ranges: list[Range]
    """Ranges to backfill, publish-only partitions included."""
    off_schedule: list[str]
    """Partitions whose key is not a tick of the schedule: Airflow cannot backfill them."""


def stale(work: Workspace, first: str | None = None, last: str | None = None) -> Stale:
    """All waiting work, or that of a range of partitions (both ends included)."""
    with work.ledger() as ledger:
        rows = [
            (chain, row)
            for chain, own in _own_recipes([chain for line in work.lines() for chain in line.chains()])
            for row in ledger.stale.work_left(chain.links, first, last, chain.take)
            if chain.line[row.ord - 1] in own
        ]
        former = ledger.stale.recipes_named({row.before for _, row in rows if row.before})
        rate, texts = rates(work, ledger), ledger.stale.workflow_counts()
        keys = ledger.stale.partition_keys()
        ready = [] if work.variant else [key for line in work.lines() for key in _unpublished(line, ledger)]
    by_partition: defaultdict[str, list[tuple[Chain, StaleRow]]] = defaultdict(list)
    for chain, row in rows:
        by_partition[row.partition].append((chain, row))
    partitions = [
        StalePartition(partition=key, stages=_stages(found, former, rate, texts))
        for key, found in sorted(by_partition.items())
    ]
    publish_only = [
        key for key in dict.fromkeys(ready) if key not in by_partition and (first or key) <= key <= (last or key)
    ]
    found, off_schedule = ranges({*by_partition, *publish_only}, keys)
    sums = _sums(partitions)
    return Stale(
        partitions=partitions,
        stages=sums,
        total=sum((stage.estimate for stage in sums), Estimate()),
        basis={stage: each.basis for stage, each in rate.items()},
        publish_only=publish_only,
        ranges=found,
        off_schedule=off_schedule,
    )


def _unpublished(work: Workspace, ledger: Ledger) -> list[str]:
    return ledger.stale.unpublished_partitions(work.accepting(), work.last_recipe())


def _own_recipes(chains: Sequence[Chain]) -> Iterator[tuple[Chain, set[StageName]]]:
    """Each chain, and the stages whose recipes no earlier one has: takes and lines share some."""
    seen: set[str] = set()
    for chain in chains:
        yield chain, {stage for stage, recipe_id in chain.ids.items() if recipe_id not in seen}
        seen.update(chain.ids.values())


def _stages(
    rows: Sequence[tuple[Chain, StaleRow]],
    former: Mapping[str, Recipe],
    rate: Mapping[StageName, Rate],
    texts: Mapping[int, int],
) -> list[StaleStage]:
    why: defaultdict[StageName, Counter[str]] = defaultdict(Counter)
    expected: Counter[StageName] = Counter()
    for made_by, row in rows:
        stage = made_by.line[row.ord - 1]
        now = made_by.by_stage[stage]
        if row.ord == row.frontier and row.again:
            reason = RETRY
        elif row.before:
            reason = reasons(now, former[row.before], first=row.ord == 1)
        elif row.ord == row.frontier:
            reason = NEVER
        elif row.known:
            continue  # last time it ended before this stage
        else:
            share = _share(made_by, rate, row.frontier, row.ord)
            if made_by.line[row.frontier - 1] not in PER_TAKE:
                share *= _with_workflow(texts, made_by.take)
            expected[stage] += row.segments * share  # pyright: ignore[reportArgumentType]
            continue
        why[stage][reason] += row.segments
    return [
        StaleStage(stage=stage, why=dict(why[stage]), estimate=rate[stage].of(why[stage].total() + expected[stage]))
        for stage in EVERY_STAGE
        if why[stage] or expected[stage]
    ]


def _with_workflow(texts: Mapping[int, int], take: Take) -> float:
    """Share of texts that have the workflow of a take, by those known; 1 if none is."""
    having = sum(count for workflows, count in texts.items() if workflows > take.workflow)
    return having / sum(texts.values()) if texts and take.workflow else 1.0


def _share(chain: Chain, rate: Mapping[StageName, Rate], frontier: int, ord_: int) -> float:
    """Share of segments waiting at a stage that will reach a later one."""
    share = 1.0
    for stage, following in pairwise(chain.line[frontier - 1 : ord_]):
        share *= rate[stage].share(takes_of(chain.by_stage[following]))
    return share


def _sums(partitions: Sequence[StalePartition]) -> list[StaleStage]:
    why: defaultdict[StageName, Counter[str]] = defaultdict(Counter)
    estimates: dict[StageName, Estimate] = {}
    for partition in partitions:
        for stage in partition.stages:
            why[stage.stage].update(stage.why)
            estimates[stage.stage] = estimates.get(stage.stage, Estimate()) + stage.estimate
    return [
        StaleStage(stage=stage, why=dict(why[stage]), estimate=estimates[stage])
        for stage in EVERY_STAGE
        if stage in estimates
    ]
