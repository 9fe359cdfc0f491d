"""Worlds of the store: results of the current recipes, and those that travel with the published datasets."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from gem_tasks.domain.take import Take
from gem_tasks.pipeline.shard.records import accepted, output_of
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.store.keys import dataset_key
from gem_tasks.worlds.built import Built
from gem_tasks.worlds.reading import Shelved, shelved
from gem_tasks.worlds.scenario import Scenario
from gem_tasks.worlds.task import Task, Tasks


class Chosen(NamedTuple):
    """Worlds with tasks for environments."""

    worlds: list[Shelved]
    left_out: int
    """Worlds of documents on the other side of the split."""


def for_training(work: Workspace, partition: str | None = None, *, held_out: bool = False) -> Chosen:
    """Worlds with tasks, of documents that no set holds out of its training; with `held_out`, only of the others."""
    with work.ledger() as ledger:
        others = ledger.evaluations.held_out_documents()
    found = {each.world_id: each for each in worlds_of(work, partition) if each.tasks}
    kept = [each for each in found.values() if (each.segment_id.rpartition(".")[0] in others) == held_out]
    return Chosen(kept, len(found) - len(kept))


def worlds_of(work: Workspace, partition: str | None = None) -> Iterator[Shelved]:
    """All worlds, those of the current recipes last. A world may come twice.

    Raises:
        UnreadableWorldError: a published one cannot be read.
    """
    with work.ledger() as ledger:
        versions = ledger.datasets.current(partition)
        partitions = [partition] if partition else ledger.stale.partition_keys()
        shards = [(key, each.shard) for key in partitions for each in ledger.ingestion.shards(key)]
    for version in versions:
        for key in work.store.list(dataset_key(version, "worlds/")):
            yield shelved(json.loads(work.fetch(key)))
    line = work.in_worlds()
    for workflow in range(work.settings.max_workflows):
        take = replace(line, chain=line.chain.with_take(Take(workflow=workflow)))
        for key, shard in shards:
            yield from _of_shard(take, key, shard)


def _of_shard(take: Workspace, partition: str, shard: int) -> Iterator[Shelved]:
    if not (ids := sorted(accepted(take, "world", partition, shard))):
        return
    built: dict[str, Built] = output_of(take, "world", partition, shard)
    extracted = output_of(take, "extract", partition, shard)
    done = accepted(take, "task", partition, shard)
    tasks: dict[str, Tasks] = output_of(take, "task", partition, shard) if done else {}
    for segment_id in ids:
        own = tasks[segment_id].tasks if segment_id in done else ()
        yield Shelved(
            built=built[segment_id],
            scenarios=_scenarios(own),
            tools=extracted[segment_id].workflows[take.chain.take.workflow].tools,
            tasks=own,
            segment_id=segment_id,
        )


def _scenarios(tasks: Sequence[Task]) -> dict[str, Scenario]:
    """By `{task}/{variant}`."""
    return {f"{number}/{each.name}": each.scenario for number, task in enumerate(tasks) for each in task.variants}
