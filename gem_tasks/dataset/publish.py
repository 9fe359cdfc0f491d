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
from collections import Counter
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from statistics import fmean
from urllib.parse import urlsplit

import pyarrow as pa
import pyarrow.parquet as pq

from gem_tasks.dataset import card
from gem_tasks.dataset.alike import Alike
from gem_tasks.dataset.diversity import diversity
from gem_tasks.dataset.judged import decided, menus_of, realised_of
from gem_tasks.dataset.realised import Counting
from gem_tasks.dataset.row import ROW_VERSION, SCHEMA, Row, trajectory_id
from gem_tasks.dataset.select import Chosen, Selection
from gem_tasks.domain.base import Json, Value
from gem_tasks.domain.corpus import Segment
from gem_tasks.domain.judgement import Judgement
from gem_tasks.domain.realised import Realised
from gem_tasks.domain.record import Topic
from gem_tasks.domain.stage import PER_TAKE, STAGE_NAMES, StageName
from gem_tasks.domain.trajectory import Size
from gem_tasks.errors import UserError
from gem_tasks.lineage import Ledger, TrajectoryRow
from gem_tasks.pipeline.shard.records import Final, finals, output_of, segments_of
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.plans import Menus
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


class _Tally:
    """Data for the manifest, without the trajectories."""

    def __init__(self, menus: Menus) -> None:
        self.rows: list[TrajectoryRow] = []
        self.documents: set[str] = set()
        self.sources: Counter[str] = Counter()
        self.licenses: Counter[str] = Counter()
        self.languages: Counter[str] = Counter()
        self.tools: Counter[str] = Counter()
        self.warnings: Counter[str] = Counter()
        self.replaced: Counter[str] = Counter()
        self.flagged: Counter[str] = Counter()
        self.names: Counter[str] = Counter()
        self.contaminated = 0
        self.revised = 0
        self.thoughts: Counter[str] = Counter()
        """Turns of the assistant, and those with a thought."""
        self.edits: list[str] = []
        self.drafts: list[Size] = []
        self.alike = Alike()
        self.real = Counting(menus)

    def add(self, chosen: Chosen, draft: Size, judgement: Judgement) -> None:
        row, size = chosen.row, chosen.row.trajectory.size
        self.rows.append(
            TrajectoryRow(
                trajectory_id=row.trajectory_id,
                recipe_id=row.recipe,
                segment_id=row.segment.segment_id,
                messages=size.messages,
                tools=size.tools,
                calls=size.calls,
                domains=row.topic.domains,
                platform=row.topic.platform,
                task_category=row.topic.task_category,
                called=tuple(row.trajectory.measures["called"]),
                findings=tuple(sorted({f"{finding.check}: {finding.kind}" for finding in judgement.warnings})),
                base=chosen.base,
            )
        )
        self.documents.add(row.segment.document_id)
        self.sources[_source(row.segment.document_uri)] += 1
        self.licenses[row.segment.license or "unknown"] += 1
        self.languages[row.segment.language or "unknown"] += 1
        self.tools.update(row.trajectory.measures["called"])
        self.warnings.update({f"{finding.check}: {finding.kind}" for finding in judgement.warnings})
        self.replaced.update(chosen.replaced)
        self.flagged.update(chosen.flagged)
        self.names.update({"trajectories": 1, "names": len(chosen.names)} if chosen.names else {})
        self.revised += row.revised
        self.edits += [chosen.edit] if chosen.edit else []
        self.contaminated += chosen.contamination is not None
        self.thoughts.update(row.trajectory.thoughts)
        self.drafts.append(draft)
        self.alike.add(row.trajectory_id, row.trajectory, row.plan)
        self.real.add(row.trajectory.messages, row.plan.facts if row.plan else None, row.segment.language)


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
        return _publish_changes(work, ledger, partition, ask=True)


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
        report = _publish_changes(work.as_recorded(recipes), ledger, partition)
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


def _publish_changes(work: Workspace, ledger: Ledger, partition: str, *, ask: bool = False) -> PublishReport:
    """Runs under the lock, so that the new version has all changes up to now."""
    changes = ledger.versions.changes(partition)
    report = _publish(work, ledger, partition, ask=ask)
    if report.version:
        ledger.versions.changes_published(partition, changes)
    return report


def _publish(work: Workspace, ledger: Ledger, partition: str, *, ask: bool) -> PublishReport:
    menus = menus_of(work, ledger)
    tally, selection = _Tally(menus), Selection(work)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "train.parquet"
        with pq.ParquetWriter(path, SCHEMA, compression="zstd", compression_level=3) as writer:
            for rows in _shards(work, partition, tally, selection):
                writer.write_table(pa.Table.from_pylist(rows, schema=SCHEMA), row_group_size=500)
        for left_out in selection.exclusions:
            logger.info("segment %s is not published (%s): %s", left_out.segment_id, left_out.reason, left_out.detail)
        if not tally.rows:
            return PublishReport(partition=partition, version=None, excluded=len(selection.exclusions))
        data = path.read_bytes()
        ids = [row.trajectory_id for row in tally.rows]
        realised = realised_of(work, ledger, menus, data, tally.real, ids, ask=ask)
        manifest = _manifest(work, partition, tally, selection, realised)
        version = str(manifest["version"])
    decision = decided(work, ledger, partition, manifest)
    if decision.action == "halt":
        return PublishReport(partition=partition, version=None, held_back=f"it is not diverse: {decision.reason}")
    with ledger.retention.writing():
        work.store.put(keys.dataset_key(version, "train-00000.parquet"), data)
        work.store.put(keys.dataset_key(version, "README.md"), card.render(manifest).encode())
        for name, picture in card.pictures(manifest).items():
            work.store.put(keys.dataset_key(version, name), picture)
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
        revised=final.accepted_by == "revalidate",
        plan=final.draft.plan,
        take=final.take,
    )


def _shards(work: Workspace, partition: str, tally: _Tally, selection: Selection) -> Iterator[list[Json]]:
    """Rows to write, one list per shard."""
    teacher = work.chain.models
    with work.ledger() as ledger:
        numbers = [number for number, _ in ledger.ingestion.shards(partition)]
    for number in numbers:
        passed = finals(work, partition, number)
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
        for chosen in selection.choose([row for row, _ in found.values()]):
            row, final = chosen.row, found[chosen.row.trajectory_id][1]
            tally.add(chosen, final.draft.size, final.judgement)
            looked = chosen.model_dump(include={"replaced", "flagged", "contamination"})
            looked["n_names"] = len(chosen.names)
            rows.append(row.columns(row.metadata(partition, teacher) | looked))
        yield rows


def _manifest(work: Workspace, partition: str, tally: _Tally, selection: Selection, realised: Realised) -> Json:
    index, count = selection.index, len(tally.rows)
    packages = index.packages
    contents = [*sorted(row.trajectory_id for row in tally.rows), json.dumps(packages), str(ROW_VERSION)]
    contents += sorted(tally.edits)
    digest = sha256("\n".join(contents).encode()).hexdigest()[:8]
    with work.ledger() as ledger:
        funnel = ledger.reports.summary(partition, work.recipes_of(*STAGE_NAMES), None)
    domains = Counter(domain for row in tally.rows for domain in row.domains)
    return {
        "version": f"{partition.replace(':', '').replace('-', '')}-{digest}",
        "row_version": ROW_VERSION,
        "partition": partition,
        "trajectories": count,
        "documents": len(tally.documents),
        "files": ["train-00000.parquet"],
        "teacher": work.chain.models,
        "recipes": work.chain.ids,
        **_takes(work),
        "prompts": {name: recipe.prompt_sha256 for name, recipe in work.chain.by_stage.items()},
        "funnel": funnel.model_dump(mode="json", include={"documents", "segments", "stages"}),
        "means": {"draft": _means(tally.drafts), "refined": _means([_size(row) for row in tally.rows])},
        "lengths": {"draft": _lengths(tally.drafts), "refined": _lengths([_size(row) for row in tally.rows])},
        "licenses": card.counts(tally.licenses),
        "languages": card.counts(tally.languages),
        "sources": card.counts(tally.sources),
        "platforms": card.counts(Counter(row.platform for row in tally.rows)),
        "task_categories": card.counts(Counter(row.task_category for row in tally.rows)),
        "domains": card.counts(domains),
        "tools": card.counts(tally.tools),
        "diversity": {
            "tools": diversity(tally.tools, count).model_dump(),
            "domains": diversity(domains, count).model_dump(),
            **tally.alike.measures(),
            "realised": realised.model_dump(mode="json"),
        },
        "warnings": card.counts(tally.warnings),
        "revised": tally.revised,
        **({"thoughts": dict(tally.thoughts)} if tally.thoughts["thoughts"] else {}),
        "edited": len(tally.edits),
        "excluded": card.counts(Counter(each.reason for each in selection.exclusions)),
        "contamination": {"packages": packages, "items": index.items, "kept": tally.contaminated},
        "privacy": {
            "replaced": card.counts(tally.replaced),
            "flagged": card.counts(tally.flagged),
            "persons": {name: tally.names[name] for name in ("trajectories", "names")},
        },
    }


def _takes(work: Workspace) -> Json:
    """The recipes of every take; empty if a text has one conversation."""
    found = [chain.take.model_dump() | {"recipes": chain.ids} for chain in work.chains()]
    return {"takes": found} if len(found) > 1 else {}


def _source(uri: str) -> str:
    """The origin of a document: a host, a bucket, or a folder."""
    parts = urlsplit(uri.partition("#")[0])
    return parts.netloc or parts.path.rpartition("/")[0].rpartition("/")[2] or uri


def _size(row: TrajectoryRow) -> Size:
    return Size(messages=row.messages, tools=row.tools, calls=row.calls)


def _lengths(sizes: list[Size]) -> dict[str, int]:
    """Trajectories by number of messages, in tens; the name is the lower bound."""
    return {str(ten): count for ten, count in sorted(Counter(size.messages // 10 * 10 for size in sizes).items())}


def _means(sizes: list[Size]) -> dict[str, float]:
    fields = ("messages", "tools", "calls")
    return {field: round(fmean(getattr(size, field) for size in sizes), 2) for field in fields}
