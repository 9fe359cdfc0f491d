"""Worlds that travel with a dataset version: one file for each, with what a replay and a benchmark need."""

import logging
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from gem_tasks.dataset.privacy import takes
from gem_tasks.dataset.row import Row
from gem_tasks.errors import UserError
from gem_tasks.files import replacing
from gem_tasks.lineage import Ledger
from gem_tasks.pipeline.shard.records import output_of
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.store import keys
from gem_tasks.worlds.built import Built, world_id
from gem_tasks.worlds.played import Replayable
from gem_tasks.worlds.task import Tasks

logger = logging.getLogger(__name__)
FOLDER = "worlds/"
"""In the folder of a version, and beside an export."""


def publishable(work: Workspace, ledger: Ledger, partition: str) -> Workspace | None:
    """The workspace whose executed conversations a new version has: the line in worlds, once it is complete.

    Until then, the version keeps those of the last one, so that an unfinished line takes none away.
    """
    if work.settings.worlds == "on":
        worlds = work.in_worlds()
        if not ledger.rebuild.unfinished(partition, worlds.links()):
            return worlds
    return published(work, ledger, partition)


def published(work: Workspace, ledger: Ledger, partition: str) -> Workspace | None:
    """The workspace whose executed conversations the partition's newest version has; None if it has none."""
    recipes = ledger.datasets.line_recipes(partition, "worlds")
    return work.in_worlds_as_recorded(recipes) if recipes else None


def replayables(
    worlds: Workspace, partition: str, shard: int, wanted: Iterable[tuple[str, int]]
) -> Iterator[Replayable]:
    """The worlds of conversations of a shard.

    Args:
        worlds: workspace of the line in worlds.
        partition: its key.
        shard: its number.
        wanted: segment ids and indices of workflows.
    """
    by_workflow: dict[int, set[str]] = {}
    for segment_id, workflow in wanted:
        by_workflow.setdefault(workflow, set()).add(segment_id)
    for each in worlds.each_take():
        if segments := by_workflow.pop(each.chain.take.workflow, None):
            built: dict[str, Built] = output_of(each, "world", partition, shard)
            tasks: dict[str, Tasks] = output_of(each, "task", partition, shard)
            extracted = output_of(each, "extract", partition, shard)
            for key in sorted(segments):
                tools = each.chain.take.of(extracted[key]).workflows[0].tools
                yield Replayable(
                    world=built[key].world,
                    scenarios={
                        f"{number}/{variant.name}": variant.scenario
                        for number, task in enumerate(tasks[key].tasks)
                        for variant in task.variants
                    },
                    tools=tools,
                    tasks=tasks[key].tasks,
                    segment_id=key,
                )


def write(
    worlds: Workspace | None, partition: str, shard: int, rows: Sequence[Row], folder: Path
) -> set[tuple[str, str]]:
    """Writes the worlds of executed conversations, and returns the pairs of text and world that travel.

    A world with personal data of its text does not, nor does the second of two equal ones of different texts, which
    have different tasks.

    Args:
        worlds: workspace of the line in worlds, if the version has some of it.
        partition: its key.
        shard: its number.
        rows: conversations of the shard.
        folder: gets a file for each world; it may not exist yet.
    """
    texts = {row.segment.segment_id: row.segment for row in rows if row.execution}
    wanted = {(row.segment.segment_id, row.take.workflow) for row in rows if row.execution}
    travelling: set[tuple[str, str]] = set()
    for each in replayables(worlds, partition, shard, wanted) if worlds and wanted else ():
        segment, world = texts[each.segment_id], world_id(each.world)
        if takes(each.model_dump(mode="json"), segment.text, segment.language):
            logger.info("world %s of segment %s is not published: personal data", world, segment.segment_id)
            continue
        folder.mkdir(exist_ok=True)
        file, data = folder / file_of(world), each.model_dump_json().encode()
        if not file.exists():
            file.write_bytes(data)
        if file.read_bytes() == data:
            travelling.add((each.segment_id, world))
    return travelling


def file_of(world: str) -> str:
    """The name of a world's file."""
    return f"{world}.json"


def fetch(work: Workspace, version: str) -> Iterator[tuple[str, bytes]]:
    """Names and contents of a version's worlds."""
    folder = keys.dataset_key(version, FOLDER)
    for key in work.store.list(folder):
        yield key.removeprefix(folder), work.fetch(key)


def export(work: Workspace, out: Path, *partitions: str | None) -> int:
    """Writes the worlds of all current versions into `worlds/` beside an export, and returns their number.

    Raises:
        UserError: the folder cannot be written.
    """
    with work.ledger() as ledger:
        versions = [version for each in partitions or (None,) for version in ledger.datasets.current(each)]
    written: set[str] = set()
    for version in versions:
        for name, data in fetch(work, version):
            _write(out / FOLDER, name, data)
            written.add(name)
    return len(written)


def _write(folder: Path, name: str, data: bytes) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with replacing(folder / name) as part:
            part.write_bytes(data)
    except OSError as error:
        raise UserError(f"{folder} cannot be written: {error.strerror}", "Choose another --out.") from error
