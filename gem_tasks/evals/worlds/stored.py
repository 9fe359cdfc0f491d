"""Worlds and tasks that the pipeline made of texts."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby

from gem_tasks.domain.take import Take
from gem_tasks.lineage.evaluations import SegmentPlace
from gem_tasks.pipeline.shard.records import accepted, output_of
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.worlds.played import Replayable


def stored(work: Workspace, places: Sequence[SegmentPlace]) -> list[Replayable]:
    """The worlds with accepted tasks of these texts, under the current recipes.

    Args:
        work: store and lineage.
        places: texts in shard order.
    """
    line = work.in_worlds()
    found: list[Replayable] = []
    for (partition, shard), rows in groupby(places, key=lambda row: row[1:]):
        wanted = {row.segment_id for row in rows}
        for workflow in range(work.settings.max_workflows):
            take = replace(line, chain=line.chain.with_take(Take(workflow=workflow)))
            if ids := sorted(wanted & accepted(take, "task", partition, shard)):
                found += _shelved(take, ids, partition, shard)
    return found


def _shelved(take: Workspace, ids: Sequence[str], partition: str, shard: int) -> Iterator[Replayable]:
    workflows, worlds, tasks = (output_of(take, name, partition, shard) for name in ("extract", "world", "task"))
    for segment_id in ids:
        yield Replayable(
            world=worlds[segment_id].world,
            scenarios={},
            tools=workflows[segment_id].workflows[take.chain.take.workflow].tools,
            tasks=tasks[segment_id].tasks,
            segment_id=segment_id,
        )
