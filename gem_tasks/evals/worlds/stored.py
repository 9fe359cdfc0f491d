"""Worlds and tasks that the pipeline made of texts."""

from collections.abc import Iterator, Set
from itertools import groupby

from gem_tasks.dataset.worlds import replayables
from gem_tasks.lineage.evaluations import SegmentPlace
from gem_tasks.pipeline.shard.records import accepted
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.worlds.played import Replayable


def stored(work: Workspace, places: list[SegmentPlace]) -> list[Replayable]:
    """The worlds with accepted tasks of these texts, under the current recipes.

    Args:
        work: store and lineage.
        places: texts in shard order.
    """
    line = work.in_worlds()
    found: list[Replayable] = []
    for (partition, shard), rows in groupby(places, key=lambda row: row[1:]):
        wanted = {row.segment_id for row in rows}
        found += replayables(line, partition, shard, _with_tasks(line, partition, shard, wanted))
    return found


def _with_tasks(line: Workspace, partition: str, shard: int, wanted: Set[str]) -> Iterator[tuple[str, int]]:
    """Those of these texts that have tasks, with the index of the workflow."""
    seen: set[int] = set()
    for each in line.each_take():
        workflow = each.chain.take.workflow
        if workflow not in seen:
            seen.add(workflow)
            yield from ((key, workflow) for key in wanted & accepted(each, "task", partition, shard))
