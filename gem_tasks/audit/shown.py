"""Shows an item to a rater: plain text in sections. Texts come from documents and models and are untrusted."""

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from textwrap import wrap

from gem_tasks.audit.transcript import transcript
from gem_tasks.domain.audit import QUALITIES, AuditItem
from gem_tasks.domain.base import Json, Value
from gem_tasks.domain.corpus import Segment
from gem_tasks.domain.workflow import Extraction, ToolSpec
from gem_tasks.pipeline.conversations import Place, conversations
from gem_tasks.pipeline.shard.records import segments_of
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.store import keys, parquet, shards
from gem_tasks.visible import visible, visible_lines

_WIDTH = 96
"""Maximum characters of a line on Airflow's page."""


class Shown(Value):
    """An item with its sections, heading first."""

    item: AuditItem
    source: str
    """URI of the document."""
    sections: tuple[tuple[str, str], ...]


def shown(work: Workspace, items: Sequence[AuditItem]) -> Iterator[Shown]:
    """The items with their texts, one object of the store at a time; not in the given order."""
    for (partition, shard), group in groupby(sorted(items, key=_place), key=_place):
        wanted = {item.item_id: item for item in group}
        for show in (_segments, _trajectories, _refused):
            if some := {key: item for key, item in wanted.items() if _way(item) is show}:
                yield from show(work, some, partition, shard)


def one(work: Workspace, item: AuditItem) -> Shown:
    """Loads one item with its texts."""
    (found,) = shown(work, [item])
    return found


def markdown(found: Shown, limit: int = 12_000) -> str:
    """The item as Markdown: every text is in a fence that it cannot close, cut at `limit` characters per section."""
    asked = "\n".join(f"- **{quality}**: {question}" for quality, question in QUALITIES.items())
    parts = [f"Rate each from 1 (no) to 5 (fully):\n\n{asked}", _fenced(found.source, limit)]
    parts += [f"### {heading}\n\n{_fenced(text, limit)}" for heading, text in found.sections]
    return "\n\n".join(parts)


def _fenced(text: str, limit: int) -> str:
    cut = _wrapped(text if len(text) <= limit else f"{text[:limit]}\n… ({len(text) - limit} more characters)")
    longest = max((len(run) for run in re.findall(r"`+", cut)), default=0)
    fence = "`" * max(longest + 1, 3)
    return f"{fence}text\n{cut}\n{fence}"


def _wrapped(text: str) -> str:
    """Wraps lines, because Airflow's page does not wrap blocks."""
    lines = (wrap(line, _WIDTH, replace_whitespace=False) or [""] for line in text.split("\n"))
    return "\n".join(part.rstrip() for parts in lines for part in parts)


def _segments(work: Workspace, wanted: dict[str, AuditItem], partition: str, shard: int) -> Iterator[Shown]:
    made = dict(_extractions(work, wanted, partition, shard))
    for segment in segments_of(work, partition, shard):
        if item := wanted.get(segment.segment_id):
            yield _shown(item, segment, *_workflows(made[item.item_id]))


def _extractions(
    work: Workspace, wanted: dict[str, AuditItem], partition: str, shard: int
) -> Iterator[tuple[str, Extraction]]:
    """The workflows that the extraction recorded at that time, regardless of today's recipe."""
    for recipe in {item.recipe_id for item in wanted.values()}:
        for outcome in shards.decode_outcomes(work.fetch(keys.stage_key("extract", recipe, partition, shard))):
            if outcome.segment_id in wanted and outcome.payload:
                yield outcome.segment_id, Extraction.model_validate_json(outcome.payload)


def _trajectories(work: Workspace, wanted: dict[str, AuditItem], partition: str, shard: int) -> Iterator[Shown]:
    rows: defaultdict[str, list[tuple[str, Json]]] = defaultdict(list)
    for key, row in _published(work, wanted):
        rows[row["metadata"]["segment_id"]].append((key, row))
    for segment in segments_of(work, partition, shard):
        for key, row in rows.get(segment.segment_id, ()):
            yield _talk(wanted[key], segment, [ToolSpec.from_json(tool) for tool in row["tools"]], row["messages"])


def _refused(work: Workspace, wanted: dict[str, AuditItem], partition: str, shard: int) -> Iterator[Shown]:
    """Hides the reason of the refusal: verdicts of checks or judge must not influence raters."""
    places = [Place(partition, shard, item.recipe_id, item.item_id) for item in wanted.values()]
    with work.ledger() as ledger:
        for each in conversations(ledger, work.fetch, places):
            messages = [message.to_openai() for message in each.trajectory.messages]
            yield _talk(wanted[each.place.segment_id], each.record.segment, each.trajectory.tools, messages)


def _way(item: AuditItem) -> Callable[[Workspace, dict[str, AuditItem], str, int], Iterator[Shown]]:
    """The function that loads items of this kind."""
    if item.version is not None:
        return _trajectories
    return _segments if item.stage == "extract" else _refused


def _published(work: Workspace, wanted: dict[str, AuditItem]) -> Iterator[tuple[str, Json]]:
    by_version: defaultdict[str, list[str]] = defaultdict(list)
    for key, item in wanted.items():
        by_version[str(item.version)].append(key)
    for version, ids in by_version.items():
        data = work.fetch(keys.dataset_key(version, "train-00000.parquet"))
        for row in parquet.rows_with(data, "trajectory_id", ids):
            yield row["trajectory_id"], {name: json.loads(row[name]) for name in ("messages", "tools", "metadata")}


def _shown(item: AuditItem, segment: Segment, *sections: tuple[str, str]) -> Shown:
    plain = tuple((heading, visible_lines(text)) for heading, text in (("Text", segment.text), *sections))
    return Shown(item=item, source=visible(segment.document_uri), sections=plain)


def _talk(item: AuditItem, segment: Segment, tools: Sequence[ToolSpec], messages: Sequence[Json]) -> Shown:
    return _shown(item, segment, ("Tools", _tools(tools)), ("Conversation", transcript(messages)))


def _workflows(extraction: Extraction) -> Iterator[tuple[str, str]]:
    for number, workflow in enumerate(extraction.workflows, 1):
        steps = "\n".join(f"{place}. {step}" for place, step in enumerate(workflow.steps, 1))
        yield f"Workflow {number}", f"{workflow.description}\n\n{steps}\n\n{workflow.execution_graph}"
        yield f"Tools of workflow {number}", _tools(workflow.tools)


def _tools(tools: Sequence[ToolSpec]) -> str:
    return "\n".join(
        f"{tool.name}({', '.join(tool.parameters.get('properties', {}))}): {tool.description}" for tool in tools
    )


def _place(item: AuditItem) -> tuple[str, int]:
    return item.partition, item.shard
