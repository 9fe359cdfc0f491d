"""Airflow's context and Connections as GEM's values: the only place that knows both.

A deployment defines the Connections `gem_postgres`, `gem_store` and `gem_llm`; the embedded services set `GEM_*`
variables. What a variable says wins, so that a worker can be pointed elsewhere without touching Airflow.
"""

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from airflow.sdk import Connection, get_current_context
from airflow.sdk.exceptions import AirflowNotFoundException

from gem_airflow.assets import PARTITION_FORMAT

if TYPE_CHECKING:
    from gem_tasks.lineage import RunContext
    from gem_tasks.pipeline.workspace import Workspace
    from gem_tasks.settings import Settings


def workspace() -> "Workspace":
    """Settings, store and recipes for the running task."""
    from gem_tasks.pipeline.prompt_files import pinned
    from gem_tasks.pipeline.workspace import Workspace

    settings, run = _settings(), cast("Any", get_current_context())["dag_run"]
    if budget := _budget_usd():
        settings = settings.model_copy(update={"budget_usd": budget})
    return Workspace.open(settings, pinned(settings, f"{run.dag_id}/{run.run_id}"))


def connected() -> "Workspace":
    """The same without the options of a run: for triggers, which belong to none."""
    from gem_tasks.pipeline.workspace import Workspace

    return Workspace.open(_settings())


def _settings() -> "Settings":
    """From variables and Connections."""
    from gem_tasks.settings import load

    for name, value in _from_connections().items():
        os.environ.setdefault(name, value)
    return load()


def run_context() -> "RunContext":
    """Which try of which task instance writes a row."""
    from gem_tasks.lineage import RunContext

    ti = cast("Any", get_current_context())["ti"]
    return RunContext(
        run_id=ti.run_id,
        task_id=ti.task_id,
        map_index=ti.map_index,
        try_number=ti.try_number,
        last_try=ti.try_number > (ti.max_tries or 0),
    )


def partition_key() -> str:
    """The run's partition; a run that was started without one belongs to the current hour."""
    run = cast("Any", get_current_context())["dag_run"]
    return run.partition_key or datetime.now(UTC).replace(minute=0).strftime(PARTITION_FORMAT)


def _budget_usd() -> float | None:
    """What the run was given to spend: by whoever started it, or by the ingestion whose event did."""
    context = cast("Any", get_current_context())
    if own := context["params"].get("budget_usd"):
        return own
    events = [event for events in (context.get("triggering_asset_events") or {}).values() for event in events]
    return next((budget for event in reversed(events) if (budget := (event.extra or {}).get("budget_usd"))), None)


def _from_connections() -> dict[str, str]:
    """`GEM_*` values from the Connections that exist."""
    found: dict[str, str] = {}
    if "GEM_POSTGRES_DSN" not in os.environ and (postgres := _connection("gem_postgres")):
        found["GEM_POSTGRES_DSN"] = postgres.get_uri().replace("postgres://", "postgresql://", 1)
    if "GEM_STORE_URL" not in os.environ and (store := _connection("gem_store")):
        found |= _store(store)
    if "GEM_LLM_BASE_URL" not in os.environ and (llm := _connection("gem_llm")):
        found["GEM_LLM_BASE_URL"] = str(llm.extra_dejson.get("base_url") or llm.host)
        found |= {"GEM_LLM_API_KEY": llm.password} if llm.password else {}
    return found


def _store(connection: Connection) -> dict[str, str]:
    extra = connection.extra_dejson
    values = {
        "GEM_STORE_URL": extra.get("url") or connection.host,
        "AWS_ENDPOINT_URL": extra.get("endpoint_url"),
        "AWS_REGION": extra.get("region_name"),
        "AWS_ACCESS_KEY_ID": connection.login,
        "AWS_SECRET_ACCESS_KEY": connection.password,
    }
    return {name: str(value) for name, value in values.items() if value}


def _connection(conn_id: str) -> Connection | None:
    try:
        return Connection.get(conn_id)
    except AirflowNotFoundException:
        return None
