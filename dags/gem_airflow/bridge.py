"""Translates Airflow's task context into GEM's values. `gem_tasks.connections` maps Connections to settings."""

import logging
import os
from typing import TYPE_CHECKING, Any, cast

from airflow.sdk import Connection, get_current_context
from airflow.sdk.exceptions import AirflowNotFoundException

from gem_airflow.retries import is_last
from gem_tasks.airflow_names import WORLDS
from gem_tasks.domain.partition import partition_of

if TYPE_CHECKING:
    from gem_tasks.lineage import RunContext
    from gem_tasks.pipeline.options import RunOptions
    from gem_tasks.pipeline.workspace import Workspace
    from gem_tasks.settings import Settings

logger = logging.getLogger(__name__)


def workspace(options: "RunOptions | None" = None) -> "Workspace":
    """Opens settings, store and recipes for the running task, under the given options or those of its run.

    Custom prompts are those that the run started with. Runs of `gem_worlds` have the line in worlds.
    """
    from gem_tasks.pipeline.prompt_files import pin, pinned
    from gem_tasks.pipeline.workspace import Workspace

    settings, run = _settings(), _run()
    pin(settings, run)
    work = Workspace.open(settings, pinned(settings, run), options or run_options())
    return work.in_worlds() if run.startswith(f"{WORLDS}/") else work


def begins() -> "Workspace":
    """`workspace()` for a run's first task: records the recipes, so that later tasks of the run use the same."""
    from gem_tasks.pipeline.run_recipes import pin

    return pin(workspace(), _run())


def begun() -> "Workspace":
    """`workspace()` under the recipes that the run started with.

    Raises:
        UserError: the deployed code has other recipes.
    """
    from gem_tasks.pipeline.run_recipes import pinned

    return pinned(workspace(), _run())


def _run() -> str:
    run = cast("Any", get_current_context())["dag_run"]
    return f"{run.dag_id}/{run.run_id}"


def connected() -> "Workspace":
    """`workspace()` without a run's options: for triggers, which belong to no run."""
    from gem_tasks.pipeline.workspace import Workspace

    return Workspace.open(_settings())


def _settings() -> "Settings":
    """Reads settings from variables and Connections, and redacts their secrets in this process's logs."""
    from gem_airflow.guarded import guard
    from gem_tasks.connections import values
    from gem_tasks.settings import load

    guard()
    return load(values(_connection, os.environ))


def run_context() -> "RunContext":
    """Identifies the try of the task instance that writes a row."""
    from gem_tasks.lineage import RunContext

    ti = cast("Any", get_current_context())["ti"]
    return RunContext(
        run_id=ti.run_id,
        task_id=ti.task_id,
        map_index=ti.map_index,
        try_number=ti.try_number,
        last_try=is_last(ti.try_number, ti.max_tries or 0, getattr(ti.task.retry_policy, "spare", 0)),
    )


def partition_key() -> str:
    """The run's partition; a run that was started without one belongs to the hour of its request.

    The hour of the calling task would be wrong: tasks of one run would disagree when the hour changes.
    """
    run = cast("Any", get_current_context())["dag_run"]
    return run.partition_key or partition_of(run.run_after)


def run_options() -> "RunOptions":
    """The options of the run's own params; if there are none, those of the events that started it."""
    from gem_tasks.pipeline.options import RunOptions, merged

    own = RunOptions.read(cast("Any", get_current_context())["params"])
    announced = [RunOptions.read(extra.get("options") or {}) for extra in _events().values()]
    if own.packed() or not announced:
        return own
    options = merged(announced)
    if any(each.override not in (None, options.override) for each in announced):
        logger.warning("This variant was announced together with other work: it waits until it is announced again")
    return options


def announced_by() -> list[str]:
    """Returns the ids of the runs whose announcements started this run."""
    return [str(run_id) for run_id in _events()]


def is_backfill() -> bool:
    """Whether the run belongs to a backfill: it announces its partition again and reads no source."""
    return cast("Any", get_current_context())["dag_run"].run_type == "backfill"


def _events() -> dict[str, dict[str, Any]]:
    """Maps the id of each announcing run to its event's extra, oldest first."""
    found = cast("Any", get_current_context()).get("triggering_asset_events") or {}
    events = [event for events in found.values() for event in events]
    return {str((event.extra or {}).get("ingest_run_id") or number): event.extra or {}
            for number, event in enumerate(events)}  # fmt: skip


def _connection(conn_id: str) -> Connection | None:
    try:
        return Connection.get(conn_id)
    except AirflowNotFoundException:
        return None
