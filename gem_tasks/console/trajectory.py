"""One trajectory for readers: the conversation with findings at their messages, its source, and earlier versions.

As in the dataset, personal data of the source is replaced in a published trajectory.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from gem_tasks.console.history import ChangeView, history
from gem_tasks.console.results import ResultView, result_view, segment_of, way_to
from gem_tasks.console.turns import Note, Talk, talk
from gem_tasks.console.worlds.execution import ExecutionView, execution_view
from gem_tasks.dataset.names import named
from gem_tasks.dataset.privacy import scrub
from gem_tasks.dataset.row import trajectory_id
from gem_tasks.domain.base import Json, Value
from gem_tasks.domain.change import base_of, standing
from gem_tasks.domain.corpus import Segment
from gem_tasks.domain.finding import Finding
from gem_tasks.domain.judgement import Judgement
from gem_tasks.domain.plan import Plan
from gem_tasks.domain.record import Record, Topic
from gem_tasks.domain.stage import StageName
from gem_tasks.domain.synthesis import Synthesized
from gem_tasks.domain.take import Take
from gem_tasks.domain.trajectory import Draft, Trajectory
from gem_tasks.domain.workflow import Extraction
from gem_tasks.edits.subject import revision_of, shown_form
from gem_tasks.lineage.console import ConsoleRows
from gem_tasks.lineage.console.trajectories import Published, Rating, ResultRow
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.stages import STAGES
from gem_tasks.stages.revise import faults
from gem_tasks.stages.validate import findings_of
from gem_tasks.store import shards
from gem_tasks.worlds.built import Built
from gem_tasks.worlds.played import Played
from gem_tasks.worlds.task import Tasks

_SHOWN = (Topic, Extraction, Trajectory, Judgement, Built, Tasks)
"""Types of output that the view, or a world's page, shows in separate fields."""
_OF_OTHER_LINES: dict[str, type[Value]] = {
    "world": Built, "task": Tasks, "simulate": Played, "verify": Judgement, "synthesize": Synthesized,
    "confirm": Judgement,
}  # fmt: skip


class Other(Value):
    """Another conversation of the same text."""

    take: str
    outcome: str
    """How it ended, in words."""
    recipe_id: str
    trajectory_id: str | None
    """None if it is not published."""


class TrajectoryView(Value):
    """A trajectory with its source and its history."""

    trajectory_id: str | None
    """None if it is not published."""
    version: str | None = None
    superseded_by: str | None = None
    audited_by: str | None = None
    segment_id: str
    document_id: str
    uri: str
    title: str | None
    license: str | None
    partition: str
    text: str
    place: str | None
    """Where the text is in its file, such as `page 12`."""
    spans: dict[str, tuple[int, int]]
    summary: str | None
    domains: tuple[str, ...]
    platform: str | None
    task_category: str | None
    steps: tuple[str, ...]
    graph: str | None
    execution: ExecutionView | None
    """In which world it happened; None if it was written in one pass."""
    plan: Plan | None
    """What it was to be like; None if it was made before there were plans."""
    take: str
    """Which of the conversations of the text it is."""
    others: tuple[Other, ...]
    talk: Talk | None
    """The refined conversation, or the revised one if it exists."""
    draft: Talk | None
    """Before refinement."""
    refused: Talk | None
    """The rejected conversation with the findings; None if it was not revised."""
    faults: tuple[str, ...]
    """Reasons for the first rejection, as the revising model saw them."""
    notes: tuple[Note, ...]
    """Notes about the whole conversation."""
    rules: dict[str, Note | None]
    """The judge's rules; None for a rule that holds."""
    results: tuple[ResultView, ...]
    ratings: tuple[Rating, ...]
    revision: str | None
    """Name of what is shown, for editors; None if it is not published."""
    changes: tuple[ChangeView, ...]
    """What people changed about the text's conversations, newest first."""
    vetoed: bool
    edited: bool
    unedited: Talk | None
    """As it was before people edited it; None if they did not."""
    openai: Json | None
    """Messages and tools in the format of the Chat Completions API."""
    replaced: dict[str, int]
    names: tuple[str, ...]
    """Names of persons that it took from its source."""


def by_id(db: ConsoleRows, work: Workspace, trajectory_id: str) -> TrajectoryView | None:
    """A published trajectory; None if the id is unknown."""
    found = db.trajectories.one(trajectory_id)
    return _view(db, work, found.segment_id, found.recipe_id, found) if found else None


def by_segment(db: ConsoleRows, work: Workspace, segment_id: str, recipe_id: str) -> TrajectoryView | None:
    """The trajectory of a segment under a recipe, published or not."""
    return _view(db, work, segment_id, recipe_id, None)


def _view(
    db: ConsoleRows, work: Workspace, segment_id: str, recipe_id: str, published: Published | None
) -> TrajectoryView | None:
    place = db.trajectories.segment(segment_id)
    results = db.trajectories.results(segment_id)
    way = way_to(results, recipe_id) if place else []
    if place is None or not way:
        return None
    segment = segment_of(work, place)
    record, thoughts = _outputs(work, segment, way)
    judgement = record.output(_judging(record), Judgement)
    topic, extraction = record.output("filter", Topic), record.output("extract", Extraction)
    draft, refined, revised = (record.output(name, Trajectory) for name in ("generate", "refine", "revise"))
    played = record.output("simulate", Played)
    alone = played or record.output("synthesize", Synthesized)
    final = revised or refined or (alone.conversation if alone else None)
    changes = db.changes.listed(published.trajectory_id)[::-1] if published else []
    holds = standing([each for each in changes if final and each.base == base_of(final)])
    clean = scrub(holds.applied(final), segment.text, segment.language) if final and published else None
    shown = shown_form(holds.applied(final), segment) if final and published else final
    before_edit = shown_form(final, segment) if final and holds.edit else None
    if shown and holds.edit:  # the judge and the first checks saw another conversation
        judgement, record = None, record.with_output(_last(record), shown)
    whole, at = _notes(record, judgement)
    refused = refined if revised else None
    before = record.without("revise")
    scrubbed = scrub(refused, segment.text, segment.language).trajectory if refused and published else refused
    workflow = extraction.workflows[0] if extraction else None
    key = published.trajectory_id if published else None
    last = way[-1].measures or {}
    return TrajectoryView(
        trajectory_id=key,
        version=published.version if published else None,
        superseded_by=published.superseded_by if published else None,
        audited_by=published.audited_by if published else None,
        segment_id=place.segment_id,
        document_id=place.document_id,
        uri=place.uri,
        title=place.title,
        license=place.license,
        partition=place.partition,
        text=segment.text,
        place=segment.place,
        spans=last.get("spans") or {},
        summary=topic.summary if topic else None,
        domains=topic.domains if topic else (),
        platform=topic.platform if topic else None,
        task_category=topic.task_category if topic else None,
        steps=workflow.steps if workflow else (),
        graph=str(workflow.execution_graph) if workflow else None,
        execution=execution_view(work, segment_id, way, played) if played else None,
        plan=draft.plan if isinstance(draft, Draft) else None,
        take=str(_take(way[-1])),
        others=tuple(_others(db, segment_id, results, way)),
        talk=talk(shown, at) if shown else None,
        draft=talk(draft, {}) if draft else None,
        refused=talk(scrubbed, _notes(before, record.output("validate", Judgement))[1]) if scrubbed else None,
        faults=tuple(faults(before)) if refused else (),
        notes=tuple(whole),
        rules=_rules(judgement),
        results=tuple(_result(row, record, thoughts.get(row.stage)) for row in way),
        ratings=tuple(db.trajectories.ratings(key)) if key else (),
        revision=revision_of(shown.messages) if shown and key else None,
        changes=history(changes, final, segment) if final else (),
        vetoed=holds.veto is not None,
        edited=holds.edit is not None,
        unedited=talk(before_edit, {}) if before_edit else None,
        openai=_openai(shown) if shown else None,
        replaced=clean.replaced if clean else {},
        names=named(final, segment.text) if final else (),
    )


def _last(record: Record) -> StageName:
    """The stage whose output is the conversation that the dataset has."""
    ways: tuple[StageName, ...] = ("revise", "refine", "synthesize", "simulate")
    for name in ways:
        if name in record.outputs:
            return name
    return "simulate"


def _judging(record: Record) -> StageName:
    following: dict[StageName, StageName] = {
        "revise": "revalidate", "refine": "validate", "simulate": "verify", "synthesize": "confirm"
    }  # fmt: skip
    return following[_last(record)]


def _take(row: ResultRow) -> Take:
    return Take(workflow=row.workflow, rollout=row.rollout)


def _others(
    db: ConsoleRows, segment_id: str, results: Sequence[ResultRow], way: Sequence[ResultRow]
) -> Iterator[Other]:
    """The other conversations of the text that came of the same results of the extraction, each as it ended."""
    begins: StageName = "simulate" if any(row.stage == "world" for row in way) else "generate"
    drafted_from = next((row.parent_id for row in way if row.stage == begins), None)
    by_parent = {row.parent_id: row for row in results if row.stage not in ("filter", "extract", begins)}
    newest = {
        _take(row): row
        for row in results
        if row.stage == begins and row.parent_id == drafted_from and _take(row) != _take(way[-1])
    }
    for take, row in sorted(newest.items(), key=lambda item: (item[0].workflow, item[0].rollout)):
        end = row
        while following := by_parent.get(end.recipe_id):
            end = following
        key = trajectory_id(segment_id, end.recipe_id)
        outcome = f"{end.stage}: {end.reason or end.error_class or end.outcome}"
        published = key if db.trajectories.one(key) else None
        yield Other(take=str(take), outcome=outcome, recipe_id=end.recipe_id, trajectory_id=published)


def _outputs(work: Workspace, segment: Segment, way: Sequence[ResultRow]) -> tuple[Record, dict[str, str | None]]:
    """The outputs of the stages that the segment passed, and the thoughts of their models."""
    types: dict[str, type[Value]] = {stage.name: stage.output for stage in STAGES} | _OF_OTHER_LINES
    made: dict[StageName, Value] = {}
    thoughts: dict[str, str | None] = {}
    for row in way:
        if row.outcome != "failed" and row.stage in types:
            outcome = shards.find_outcome(work.fetch(row.object_key), segment.segment_id)
            if outcome and outcome.payload:
                made[row.stage] = types[row.stage].model_validate_json(outcome.payload)
                thoughts[row.stage] = outcome.thoughts
    if isinstance(extraction := made.get("extract"), Extraction):
        made["extract"] = _take(way[-1]).of(extraction)
    opened = frozenset(kind for row in way for kind in row.opened or ())
    return Record(segment=segment, opened=opened, outputs=made), thoughts


def _notes(record: Record, judgement: Judgement | None) -> tuple[list[Note], dict[int, list[Note]]]:
    """Notes about the whole, and notes at messages. Without a judgement, the checks rejected it and run again here."""
    if not {"refine", "synthesize"} & record.outputs.keys() and not judgement:
        return [], {}
    whole: list[Note] = []
    at: defaultdict[int, list[Note]] = defaultdict(list)
    found: Iterable[Finding] = judgement.warnings if judgement else findings_of(record)
    for finding in found:
        note = Note(**finding.model_dump(include={"check", "kind", "severity", "detail", "json_path"}))
        if finding.message_index is None:
            whole.append(note)
        else:
            at[finding.message_index].append(note)
    return whole, at


def _rules(judgement: Judgement | None) -> dict[str, Note | None]:
    if judgement is None:
        return {}
    return {
        rule: Note(check=rule, severity="error", detail=verdict.reason, quote=verdict.quote) if verdict.fault else None
        for rule, verdict in judgement.rules.items()
    }


def _openai(trajectory: Trajectory) -> Json:
    return {
        "messages": [message.to_openai() for message in trajectory.messages],
        "tools": [tool.to_openai() for tool in trajectory.tools],
    }


def _result(row: ResultRow, record: Record, thoughts: str | None) -> ResultView:
    output = record.outputs.get(row.stage)
    shown = None if output is None or isinstance(output, _SHOWN) else output.model_dump(mode="json")
    return result_view(row, thoughts, shown)
