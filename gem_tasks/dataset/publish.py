"""Accepted trajectories of a partition become a dataset version: Parquet, manifest, card, rows in Postgres.

A version is named by partition and content, so publishing the same set again changes nothing, and a partition that
gained trajectories gets a new version that supersedes its last one.

A partition is published when it is complete: every segment has a final outcome under the current recipes. Until then
the previous version stays current and complete, so readers never see mixed old and new data. A lock admits one
publication of a partition at a time: a second one sees at least the data of the first.
"""

import json
import logging
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from gem_tasks.dataset import card, worlds
from gem_tasks.dataset.judged import decided, menus_of, realised_of
from gem_tasks.dataset.manifest import Lines, Tally, manifest_of
from gem_tasks.dataset.row import SCHEMA, Row, trajectory_id
from gem_tasks.dataset.select import Chosen, Selection
from gem_tasks.domain.base import Json, Value
from gem_tasks.domain.corpus import Segment
from gem_tasks.domain.record import Topic
from gem_tasks.domain.stage import PER_TAKE, STAGE_NAMES, StageName
from gem_tasks.errors import UserError
from gem_tasks.lineage import Ledger
from gem_tasks.pipeline.shard.records import Final, finals, output_of, segments_of
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.store import keys

logger = logging.getLogger(__name__)


class PublishReport(Value):
    """The result of a publication, returned by the task."""

    partition: str
    version: str | None
    """The new version; None if the partition is empty or incomplete."""
    trajectories: int = 0
    held_back: str | None = None
    """Why the previous version stays current."""
    excluded: int = 0
    """Number of accepted but unpublished trajectories: see the table `dataset_exclusions`."""
    edited: int = 0
    """Number of published trajectories that people edited."""
    location: str | None = None


def publish(work: Workspace, partition: str) -> PublishReport:
    """Publishes a complete partition's accepted trajectories under the current recipes, as `Selection` chooses them.

    The Parquet file is written shard by shard; memory holds one shard and a few numbers per trajectory. Two
    publications of a partition run one after the other, so that the current version has the latest changes.
    """
    if work.variant:
        reason = "these recipes are not the current ones: GEM keeps their results for `gem diff`"
        return PublishReport(partition=partition, version=None, held_back=reason)
    with work.ledger() as ledger, ledger.locks.publish(partition):
        if reason := _unfinished(ledger.rebuild.unfinished(partition, work.links())):
            return PublishReport(partition=partition, version=None, held_back=reason)
        lines = Lines(work, worlds.publishable(work, ledger, partition), work.with_synthesizer)
        return _publish_changes(lines, ledger, partition, ask=True)


def republish(work: Workspace, partition: str) -> PublishReport:
    """Republishes a partition with the recipes of its last version, people's changes, and no withdrawn documents.

    It calls no model, regardless of the current prompts, and works on an incomplete partition too. If no row is left,
    the partition has no current version.

    Raises:
        UserError: it was never published, or only before a current stage existed.
    """
    with work.ledger() as ledger, ledger.locks.publish(partition):
        recipes, changes = ledger.datasets.recipes(partition), ledger.versions.changes(partition)
        if not recipes:
            raise UserError(f"{partition} was never published", "Run gem_synthesize for it.")
        made = ledger.datasets.line_recipes(partition, "synthesizer")
        synthesized = work.with_synthesizer_as_recorded(made) if made else None
        lines = Lines(work.as_recorded(recipes), worlds.published(work, ledger, partition), synthesized)
        report = _publish_changes(lines, ledger, partition)
        if report.version is None:
            ledger.datasets.withdraw(partition)
            ledger.versions.changes_published(partition, changes)
    return report


def changed_partitions(work: Workspace) -> list[str]:
    """Published partitions with a document that was superseded, vanished or came back since, or changed by people."""
    with work.ledger() as ledger:
        return ledger.versions.changed_partitions()


def _unfinished(waiting: dict[StageName, int]) -> str | None:
    """The reason why the partition is incomplete; None if it is complete."""
    if not waiting:
        return None
    left = [f"{stage} of {_counted(stage, count)}" for stage, count in waiting.items()]
    return f"the partition is incomplete under the current recipes; remaining work: {', '.join(left)}"


def _counted(stage: StageName, count: int) -> str:
    return f"{count} {'conversation' if stage in PER_TAKE else 'segment'}{'s' * (count != 1)}"


def _publish_changes(lines: Lines, ledger: Ledger, partition: str, *, ask: bool = False) -> PublishReport:
    """Runs under the lock, so that the new version has all changes up to now."""
    changes = ledger.versions.changes(partition)
    report = _publish(lines, ledger, partition, ask=ask)
    if report.version:
        ledger.versions.changes_published(partition, changes)
    return report


def _publish(lines: Lines, ledger: Ledger, partition: str, *, ask: bool) -> PublishReport:
    with tempfile.TemporaryDirectory() as folder:
        return _published(lines, ledger, partition, Path(folder), ask=ask)


def _published(lines: Lines, ledger: Ledger, partition: str, folder: Path, *, ask: bool) -> PublishReport:
    work = lines.written
    menus = menus_of(work, ledger)
    tally, selection = Tally(menus), Selection(work)
    path, systems = folder / "train.parquet", folder / worlds.FOLDER
    with pq.ParquetWriter(path, SCHEMA, compression="zstd", compression_level=3) as writer:
        for rows in _shards(lines, partition, tally, selection, systems):
            writer.write_table(pa.Table.from_pylist(rows, schema=SCHEMA), row_group_size=500)
    for left_out in selection.exclusions:
        logger.info("segment %s is not published (%s): %s", left_out.segment_id, left_out.reason, left_out.detail)
    if not tally.rows:
        return PublishReport(partition=partition, version=None, excluded=len(selection.exclusions))
    data = path.read_bytes()
    ids = [row.trajectory_id for row in tally.rows]
    realised = realised_of(work, ledger, menus, data, tally.real, ids, ask=ask)
    manifest = manifest_of(lines, partition, tally, selection, realised)
    version = str(manifest["version"])
    decision = decided(work, ledger, partition, manifest)
    if decision.action == "halt":
        return PublishReport(partition=partition, version=None, held_back=f"it is not diverse: {decision.reason}")
    with ledger.retention.writing():
        work.store.put(keys.dataset_key(version, "train-00000.parquet"), data)
        work.store.put(keys.dataset_key(version, "README.md"), card.render(manifest).encode())
        for name, content in card.pictures(manifest).items():
            work.store.put(keys.dataset_key(version, name), content)
        for world in sorted(tally.worlds):
            file = worlds.file_of(world)
            work.store.put(keys.dataset_key(version, worlds.FOLDER + file), (systems / file).read_bytes())
        # The manifest comes last: a version without one is unfinished.
        work.store.put(keys.dataset_key(version, "manifest.json"), json.dumps(manifest, indent=1).encode())
        ledger.datasets.commit(version, partition, work.chain_of_last().by_stage[STAGE_NAMES[-1]], manifest, tally.rows)
        ledger.datasets.replace_exclusions(version, selection.exclusions)
        ledger.changes.consider(version, selection.considered)
    return PublishReport(
        partition=partition,
        version=version,
        trajectories=len(tally.rows),
        excluded=len(selection.exclusions),
        edited=len(tally.edits),
        location=work.store.url(keys.dataset_key(version, "")),
    )


def _row(segment: Segment, topic: Topic, final: Final) -> Row:
    recipe = final.recipe
    return Row(
        trajectory_id=trajectory_id(segment.segment_id, recipe),
        segment=segment,
        topic=topic,
        trajectory=final.trajectory,
        recipe=recipe,
        accepted_by=final.accepted_by,
        revised=final.accepted_by == "revalidate",
        plan=final.draft.plan,
        take=final.take,
        execution=final.execution,
    )


def _shards(lines: Lines, partition: str, tally: Tally, selection: Selection, systems: Path) -> Iterator[list[Json]]:
    """Rows to write, one list per shard; writes the worlds of executed ones into a folder."""
    work = lines.written
    with work.ledger() as ledger:
        numbers = [number for number, _ in ledger.ingestion.shards(partition)]
    for number in numbers:
        passed = _passed(lines, partition, number)
        if not passed:
            continue
        topics = output_of(work, "filter", partition, number)
        found = {
            row.trajectory_id: (row, final)
            for segment in segments_of(work, partition, number)
            for final in passed.get(segment.segment_id, ())
            if (row := _row(segment, topics[segment.segment_id], final))
        }
        rows: list[Json] = []
        made = [row for row, _ in found.values()]
        travelling = worlds.write(lines.executed, partition, number, made, systems)
        for chosen in selection.choose(made):
            final = found[chosen.row.trajectory_id][1]
            chosen = _as_it_happened(chosen, final, travelling)
            row = chosen.row
            tally.add(chosen, final.draft.size, final.judgement)
            looked = chosen.model_dump(include={"replaced", "flagged", "contamination"})
            looked["n_names"] = len(chosen.names)
            rows.append(row.columns(row.metadata(partition, lines.teacher(row)) | looked))
        yield rows


def _as_it_happened(chosen: Chosen, final: Final, travelling: set[tuple[str, str]]) -> Chosen:
    """Without its execution if a replay would give other results, or is impossible.

    People edited it, personal data were replaced, or its world does not travel.
    """
    if not final.execution:
        return chosen
    travels = (chosen.row.segment.segment_id, final.execution.world) in travelling
    if travels and chosen.row.trajectory == final.trajectory:
        return chosen
    return chosen.model_copy(update={"row": chosen.row.model_copy(update={"execution": None})})


def _passed(lines: Lines, partition: str, shard: int) -> dict[str, list[Final]]:
    """Accepted conversations of a shard in all lines, by segment id.

    The synthesizer's is left out if the text has another one that was written in one pass.
    """
    found = finals(lines.written, partition, shard)
    found = (finals(lines.synthesized, partition, shard) if lines.synthesized else {}) | found
    for key, executed in (finals(lines.executed, partition, shard) if lines.executed else {}).items():
        found.setdefault(key, []).extend(executed)
    return found
