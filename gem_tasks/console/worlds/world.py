"""One world for readers: its tables, code, rules and tasks, the trials that it passed, and the conversations in it."""

from collections.abc import Iterable, Sequence

from pydantic import Field

from gem_tasks.console.results import ResultView, output_of, result_view, segment_of
from gem_tasks.console.worlds.code import Piece, pieces
from gem_tasks.console.worlds.tables import Table, short, tables
from gem_tasks.console.worlds.tasks import TaskView, task_view
from gem_tasks.dataset.row import trajectory_id
from gem_tasks.domain.base import Json, Value
from gem_tasks.domain.indented import indented
from gem_tasks.lineage.console import ConsoleRows
from gem_tasks.lineage.console.trajectories import ResultRow
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.worlds.built import Built, Rule
from gem_tasks.worlds.task import Tasks
from gem_tasks.worlds.world import Tool

_MOST = 200
"""Conversations on the page."""


class WorldTool(Value):
    """A tool."""

    name: str
    reads: bool
    parameters: str
    """Pretty-printed JSON Schema."""


class Conversation(Value):
    """A conversation in the world, as far as it got."""

    task: int | None
    variant: str
    seed: int | None
    attempt: int | None
    calls: int | None
    outcome: str
    why: str
    recipe_id: str
    trajectory_id: str | None
    """None if it is not published."""


class WorldView(Value):
    """A world, or why there is none."""

    recipe_id: str
    segment_id: str
    document_id: str
    uri: str
    title: str | None
    partition: str
    place: str | None
    workflow: int
    """Index of the workflow among those of the text."""
    text: str
    outcome: str
    why: str
    detail: str
    world_id: str | None = None
    rules: tuple[Rule, ...] = ()
    spans: dict[str, tuple[int, int]] = Field(default_factory=dict)
    """Where the text states a rule, by `rule N`."""
    trials: dict[str, int] = Field(default_factory=dict)
    tables: tuple[Table, ...] = ()
    more_tables: int = 0
    code: tuple[Piece, ...] = ()
    tools: tuple[WorldTool, ...] = ()
    ids: dict[str, str] = Field(default_factory=dict)
    """How new records are numbered."""
    tasks: tuple[TaskView, ...] = ()
    refused_tasks: tuple[str, ...] = ()
    task_outcome: str | None = None
    """How the stage `task` ended; None if it did not begin."""
    conversations: tuple[Conversation, ...] = ()
    results: tuple[ResultView, ...] = ()
    """Of the stages `world` and `task`."""


def world(db: ConsoleRows, work: Workspace, segment_id: str, recipe_id: str) -> WorldView | None:
    """The world that a recipe made of a segment; None if it made none."""
    place, results = db.trajectories.segment(segment_id), db.trajectories.results(segment_id)
    row = next((row for row in results if row.recipe_id == recipe_id and row.stage == "world"), None)
    if place is None or row is None:
        return None
    segment = segment_of(work, place)
    built = output_of(work, row, segment_id, Built)
    asked = next((each for each in reversed(results) if each.stage == "task" and each.parent_id == recipe_id), None)
    tasks = output_of(work, asked, segment_id, Tasks)
    common = WorldView(
        recipe_id=recipe_id,
        segment_id=segment_id,
        document_id=place.document_id,
        uri=place.uri,
        title=place.title,
        partition=place.partition,
        place=segment.place,
        workflow=row.workflow,
        text=segment.text,
        outcome=row.outcome,
        why=row.reason or row.error_class or "",
        detail=row.detail,
        task_outcome=_ended(asked) if asked else None,
        results=tuple(result_view(each) for each in (row, asked) if each),
        conversations=tuple(_conversations(db, segment_id, results, asked)) if asked else (),
    )
    shown = built_view(built) if built else {}
    return common.model_copy(update={**shown, **(_tasks_view(tasks) if tasks else {})})


def built_view(built: Built) -> Json:
    """What a world itself tells."""
    made = built.world
    return {
        "world_id": built.world_id,
        "rules": built.rules,
        "spans": {f"rule {number}": rule.span for number, rule in enumerate(built.rules, 1) if rule.span},
        "trials": built.trials,
        "tables": (shown := tables(made.state)),
        "more_tables": len(made.state) - len(shown),
        "code": pieces(made.code, {tool.name for tool in made.tools}, built.rules),
        "tools": tuple(map(_tool, made.tools)),
        "ids": {prefix: f"{form.format}, from {form.next} by {form.step}" for prefix, form in made.ids.items()},
    }


def _tasks_view(tasks: Tasks) -> Json:
    return {"tasks": tuple(map(task_view, tasks.tasks)), "refused_tasks": tasks.refused}


def _tool(tool: Tool) -> WorldTool:
    return WorldTool(name=tool.name, reads=tool.reads, parameters=indented(tool.parameters, 2))


def _conversations(
    db: ConsoleRows, segment_id: str, results: Sequence[ResultRow], asked: ResultRow
) -> list[Conversation]:
    """Played conversations, each as it ended, by task, variant and attempt."""
    played = [row for row in results if row.stage == "simulate" and row.parent_id == asked.recipe_id]
    made = [_conversation(db, segment_id, row, _last(row, results)) for row in played]
    return sorted(made, key=lambda one: (one.task or 0, one.variant, one.attempt or 0, one.recipe_id))[:_MOST]


def _conversation(db: ConsoleRows, segment_id: str, row: ResultRow, end: ResultRow) -> Conversation:
    key, told = trajectory_id(segment_id, end.recipe_id), row.measures or {}
    return Conversation(
        task=_number(told, "task"),
        variant=short(told.get("variant", "")),
        seed=_number(told, "seed"),
        attempt=_number(told, "attempt"),
        calls=_number(told, "calls"),
        outcome=end.outcome,
        why=f"{end.stage}: {end.reason or end.error_class}" if end.outcome != "accepted" else "",
        recipe_id=end.recipe_id,
        trajectory_id=key if db.trajectories.one(key) else None,
    )


def _last(row: ResultRow, results: Iterable[ResultRow]) -> ResultRow:
    return next((each for each in results if each.parent_id == row.recipe_id), row)


def _number(told: Json, name: str) -> int | None:
    return value if isinstance(value := told.get(name), int) else None


def _ended(row: ResultRow) -> str:
    return row.outcome if row.outcome == "accepted" else f"{row.reason or row.error_class}: {row.detail}"
