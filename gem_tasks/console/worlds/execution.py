"""What a page tells about the execution of a conversation: its world, task, variant and attempt, and the goal."""

from collections.abc import Sequence

from gem_tasks.console.results import output_of, way_to
from gem_tasks.console.worlds.changes import Changes, changes
from gem_tasks.domain.base import Value
from gem_tasks.lineage.console import ConsoleRows
from gem_tasks.lineage.console.trajectories import ResultRow
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.worlds.built import Built
from gem_tasks.worlds.played import Played
from gem_tasks.worlds.task import Task, Tasks


class ExecutionView(Value):
    """How a conversation was executed."""

    world_recipe: str
    """With the segment it is the address of the world's page."""
    world_id: str
    task: int
    title: str
    variant: str
    ending: str
    seed: int
    attempt: int | None
    steps: int
    reached: bool
    reasons: tuple[str, ...]


def execution_view(work: Workspace, segment_id: str, way: Sequence[ResultRow], played: Played) -> ExecutionView | None:
    """The execution of a conversation; None if its world or task is missing from its way."""
    rows = {row.stage: row for row in way}
    task = _task(work, segment_id, way, played)
    if "world" not in rows or task is None:
        return None
    done = played.execution
    attempt = (rows["simulate"].measures or {}).get("attempt")
    return ExecutionView(
        world_recipe=rows["world"].recipe_id,
        world_id=done.world,
        task=done.task,
        title=task.title,
        variant=done.variant,
        ending=task.variant(done.variant).ending,
        seed=done.seed,
        attempt=attempt if isinstance(attempt, int) else None,
        steps=len(done.steps),
        reached=done.reached,
        reasons=done.reasons,
    )


def changes_of(db: ConsoleRows, work: Workspace, segment_id: str, recipe_id: str) -> Changes | None:
    """What each step of a conversation changed in its world; None if it has none.

    Raises:
        UserError: too many replays are running.
    """
    rows = {row.stage: row for row in way_to(db.trajectories.results(segment_id), recipe_id)}
    built = output_of(work, rows.get("world"), segment_id, Built)
    played = output_of(work, rows.get("simulate"), segment_id, Played)
    task = _task(work, segment_id, list(rows.values()), played) if played else None
    if built is None or played is None or task is None:
        return None
    done = played.execution
    scenario = task.variant(done.variant).scenario
    return changes(played.messages, done.steps, built.world, scenario, done.seed, work.settings.sandbox)


def _task(work: Workspace, segment_id: str, way: Sequence[ResultRow], played: Played) -> Task | None:
    row, done = next((row for row in way if row.stage == "task"), None), played.execution
    tasks = output_of(work, row, segment_id, Tasks)
    if tasks is None or not 0 <= done.task < len(tasks.tasks):
        return None
    task = tasks.tasks[done.task]
    return task if any(each.name == done.variant for each in task.variants) else None
