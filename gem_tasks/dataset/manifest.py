"""The manifest of a dataset version: what it holds, where it comes from, and what it leaves out."""

import json
from collections import Counter
from hashlib import sha256
from statistics import fmean
from typing import NamedTuple
from urllib.parse import urlsplit

from gem_tasks.dataset import card
from gem_tasks.dataset.alike import Alike
from gem_tasks.dataset.diversity import diversity
from gem_tasks.dataset.realised import Counting
from gem_tasks.dataset.row import ROW_VERSION, Row
from gem_tasks.dataset.select import Chosen, Selection
from gem_tasks.domain.base import Json
from gem_tasks.domain.judgement import Judgement
from gem_tasks.domain.realised import Realised
from gem_tasks.domain.trajectory import Size
from gem_tasks.lineage import TrajectoryRow
from gem_tasks.pipeline.recipes import Chain
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.plans import Menus


class Lines(NamedTuple):
    """Whose conversations a version has."""

    written: Workspace
    """Of the line that writes them in one pass."""
    executed: Workspace | None = None
    """Of the line in worlds; None if there are none."""
    synthesized: Workspace | None = None
    """Of the line of the synthesizer; None if there is none."""

    def teacher(self, row: Row) -> dict[str, str]:
        """Model by stage of the line that made a row."""
        other = (
            self.executed if row.accepted_by == "verify" else self.synthesized if row.made_by != "pipeline" else None
        )
        return (other or self.written).chain.models

    @property
    def chains(self) -> list[Chain]:
        """Of all takes of all lines."""
        return [chain for line in self if line for chain in line.chains()]


class Tally:
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
        self.revised = self.synthesized = 0
        self.worlds: Counter[str] = Counter()
        """Executed conversations by world."""
        self.thoughts: Counter[str] = Counter()
        """Turns of the assistant, and those with a thought."""
        self.edits: list[str] = []
        self.drafts: list[Size] = []
        self.alike = Alike()
        self.real = Counting(menus)

    def add(self, chosen: Chosen, draft: Size, judgement: Judgement) -> None:
        """Counts one trajectory that is published; `draft` is its size before refinement."""
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
        self.synthesized += row.made_by == "synthesizer"
        self.worlds.update([row.execution.world] if row.execution else [])
        self.edits += [chosen.edit] if chosen.edit else []
        self.contaminated += chosen.contamination is not None
        self.thoughts.update(row.trajectory.thoughts)
        self.drafts.append(draft)
        self.alike.add(row.trajectory_id, row.trajectory, row.plan)
        self.real.add(row.trajectory.messages, row.plan.facts if row.plan else None, row.segment.language)


def manifest_of(lines: Lines, partition: str, tally: Tally, selection: Selection, realised: Realised) -> Json:
    """The manifest. Its version is named by partition and content, so equal contents have one name."""
    work = lines.written
    index, count = selection.index, len(tally.rows)
    packages = index.packages
    contents = [*sorted(row.trajectory_id for row in tally.rows), json.dumps(packages), str(ROW_VERSION)]
    contents += sorted(tally.edits)
    digest = sha256("\n".join(contents).encode()).hexdigest()[:8]
    with work.ledger() as ledger:
        recipes = {recipe.recipe_id: recipe for line in lines if line for recipe in line.recipes_of(*line.chain.line)}
        funnel = ledger.reports.summary(partition, list(recipes.values()), None)
    domains = Counter(domain for row in tally.rows for domain in row.domains)
    return {
        "version": f"{partition.replace(':', '').replace('-', '')}-{digest}",
        "row_version": ROW_VERSION,
        "partition": partition,
        "trajectories": count,
        "documents": len(tally.documents),
        "files": ["train-00000.parquet", *(f"worlds/{world}.json" for world in sorted(tally.worlds))],
        "teacher": work.chain.models,
        "recipes": work.chain.ids,
        **_takes(lines),
        **_worlds(lines, tally),
        **_synthesizer(lines, tally),
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


def _takes(lines: Lines) -> Json:
    """The recipes of every take; empty if a text has one conversation."""
    found = [chain.take.model_dump() | {"recipes": chain.ids} for chain in lines.chains]
    return {"takes": found} if len(found) > 1 else {}


def _worlds(lines: Lines, tally: Tally) -> Json:
    """The line in worlds, and how much of it the version has; empty if it is not in the version."""
    if lines.executed is None:
        return {}
    chain, last = lines.executed.chain, lines.executed.chain_of_last()
    counts = {"worlds": len(tally.worlds), "executed": tally.worlds.total()}
    return {"worlds": {"last": last.id_of(last.line[-1]), "teacher": chain.models, "recipes": chain.ids, **counts}}


def _synthesizer(lines: Lines, tally: Tally) -> Json:
    """The line of the synthesizer, and how many of its trajectories the version has; empty without one."""
    if lines.synthesized is None:
        return {}
    chain = lines.synthesized.chain
    model, recipes = chain.by_stage["synthesize"].model, chain.ids
    last = chain.id_of("confirm")
    return {"synthesizer": {"last": last, "model": model, "recipes": recipes, "trajectories": tally.synthesized}}


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
