"""Texts that a synthesizer was not trained on, and the pipeline's results for the same texts."""

from collections.abc import Sequence
from itertools import groupby

from gem_tasks.domain.corpus import Segment
from gem_tasks.domain.costs import total_cost
from gem_tasks.domain.trajectory import Trajectory
from gem_tasks.errors import UserError
from gem_tasks.evals.synthesizer import Yield, sizes, spread, variety
from gem_tasks.lineage.evaluations import SegmentPlace
from gem_tasks.pipeline.shard.records import accepted, finals, segments_of
from gem_tasks.pipeline.workspace import Workspace


def held_out(work: Workspace, source: str) -> list[Segment]:
    """The test split of a set, or those segments of a partition that the filter accepted.

    Args:
        work: store and lineage.
        source: id of a set or a prefix of it, or a partition such as `2026-01-31T14:00`.

    Raises:
        UserError: there is no such set or partition, or it has no such text.
    """
    found: list[Segment] = []
    for (partition, shard), rows in groupby(places_of(work, source), key=lambda row: row[1:]):
        wanted = {segment_id for segment_id, _, _ in rows}
        found += [each for each in segments_of(work, partition, shard) if each.segment_id in wanted]
    return found


def places_of(work: Workspace, source: str) -> list[SegmentPlace]:
    """Where these texts are, in shard order; takes and raises the same."""
    with work.ledger() as ledger:
        sets = ledger.distill.find_sets(source, limit=2) if source else []
        places = ledger.evaluations.held_out(sets[0].set_id) if len(sets) == 1 else _of_partition(work, source)
    if not places:
        raise UserError(f"{source!r} has no held-out texts", "Name a set of `gem distill sets`, or a partition.")
    return places


def _of_partition(work: Workspace, partition: str) -> list[SegmentPlace]:
    with work.ledger() as ledger:
        shards = [shard for shard, _ in ledger.ingestion.shards(partition)]
    return [
        SegmentPlace(each, partition, shard)
        for shard in shards
        for each in sorted(accepted(work, "filter", partition, shard))
    ]


def pipeline_yield(work: Workspace, segments: Sequence[Segment]) -> Yield | None:
    """The results of the current recipes for these segments; None if they never ran on them."""
    ids = [segment.segment_id for segment in segments]
    with work.ledger() as ledger:
        stages = ledger.distill.pipeline_cost(ids, work.recipe_ids())
        if not any(row.stage == "validate" for row in stages):
            return None
        places = ledger.evaluations.segment_places(ids)
        latencies = ledger.evaluations.segment_latencies(ids, work.recipe_ids())
    made = _trajectories(work, places)
    return Yield(
        texts=len(ids),
        accepted=len(made),
        calls=sum(row.calls for row in stages),
        prompt_tokens=sum(row.prompt_tokens for row in stages),
        completion_tokens=sum(row.completion_tokens for row in stages),
        usd=total_cost(stages),
        latency_s=spread(latencies),
        diversity=variety(made),
        size=sizes(made),
    )


def _trajectories(work: Workspace, places: Sequence[SegmentPlace]) -> list[Trajectory]:
    """Trajectories of these segments that the validation accepted, with or without a revision."""
    found: list[Trajectory] = []
    for (partition, shard), rows in groupby(places, key=lambda row: row[1:]):
        passed = finals(work, partition, shard)
        found += [final.trajectory for segment_id, _, _ in sorted(rows) for final in passed.get(segment_id, ())]
    return found
