"""The environment of the embedded services: `GEM_*` for everything, `AIRFLOW__*` for Airflow."""

import json
import os
from pathlib import Path

from gem_tasks.local import teacher
from gem_tasks.local.state import State, write_private
from gem_tasks.resources import shipped

ADMIN, VIEWER = "admin", "viewer"


def gem_env(home: Path, state: State, dsn: str) -> dict[str, str]:
    """Variables for tasks and the CLI; those that the user has set take precedence."""
    defaults = {
        "GEM_HOME": str(home),
        "GEM_POSTGRES_DSN": dsn,
        "GEM_STORE_URL": str(home / "store"),
        "GEM_AIRFLOW_URL": f"http://127.0.0.1:{state.ports['airflow']}",
        "GEM_AIRFLOW_USERNAME": ADMIN,
        "GEM_AIRFLOW_PASSWORD": state.admin_password,
    }
    if teacher.installed() or "GEM_LLM_BASE_URL" in os.environ:
        defaults["GEM_LLM_BASE_URL"] = f"http://127.0.0.1:{state.ports['teacher']}/v1"
    values = {name: os.environ.get(name, value) for name, value in defaults.items()} | {"GEM_HOME": str(home)}
    if prompts := os.environ.get("GEM_PROMPTS"):  # the services start in another folder, so the path must be absolute
        values["GEM_PROMPTS"] = prompts if "://" in prompts else str(Path(prompts).expanduser().absolute())
    if plans := os.environ.get("GEM_PLANS"):
        values["GEM_PLANS"] = str(Path(plans).expanduser().absolute())
    return values


def quoted(value: str) -> str:
    """A value, quoted for a file of variables."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def airflow_env(home: Path, state: State, airflow_dsn: str) -> dict[str, str]:
    """Airflow on LocalExecutor over the embedded Postgres."""
    folder = home / "airflow"
    dags = shipped("dags")
    passwords = folder / "passwords.json"
    write_private(passwords, json.dumps({ADMIN: state.admin_password, VIEWER: state.viewer_password}))
    url = f"http://127.0.0.1:{state.ports['airflow']}"
    options = {
        "CORE__EXECUTOR": "LocalExecutor",
        "CORE__PARALLELISM": max(4, min(16, 2 * (os.cpu_count() or 2))),
        "CORE__MAX_ACTIVE_TASKS_PER_DAG": 64,
        "CORE__MAX_MAP_LENGTH": 20_000,  # shards of a partition: four million segments of the usual 200
        "CORE__DAGS_FOLDER": dags,
        "CORE__PLUGINS_FOLDER": shipped("plugins"),
        "CORE__LOAD_EXAMPLES": False,
        "CORE__DAGS_ARE_PAUSED_AT_CREATION": False,
        "CORE__FERNET_KEY": state.fernet_key,
        "CORE__SIMPLE_AUTH_MANAGER_USERS": f"{ADMIN}:admin,{VIEWER}:viewer",
        "CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": passwords,
        "CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
        "DATABASE__SQL_ALCHEMY_CONN": airflow_dsn.replace("postgresql://", "postgresql+psycopg2://", 1),
        "API__HOST": "127.0.0.1",
        "API__PORT": state.ports["airflow"],
        "API__BASE_URL": url,
        "API__WORKERS": 1,
        "API__SECRET_KEY": state.api_secret,
        "API_AUTH__JWT_SECRET": state.jwt_secret,
        "LOGGING__BASE_LOG_FOLDER": folder / "logs",
        "LOGGING__WORKER_LOG_SERVER_PORT": state.ports["worker_logs"],
        "LOGGING__TRIGGER_LOG_SERVER_PORT": state.ports["worker_logs"],
        "LOGGING__FILE_TASK_HANDLER_NEW_FOLDER_PERMISSIONS": "0o700",
        "LOGGING__FILE_TASK_HANDLER_NEW_FILE_PERMISSIONS": "0o600",
        "CORE__HOSTNAME_CALLABLE": "gem_airflow.here.hostname",
        "DAG_PROCESSOR__REFRESH_INTERVAL": 30,
        "DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": 30,
        "SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": 0.3,
        # Airflow resumes the tasks of a killed scheduler within a minute instead of five.
        "SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": 15,
        "SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": 30,
        "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": 40,
        "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": 10,
        "SCHEDULER__TASK_INSTANCE_HEARTBEAT_SEC": 5,
        # A supervisor may notice only at its next heartbeat that its task has ended; a skipped task ends then. Tasks
        # still survive 30 seconds without the API server.
        "WORKERS__MIN_HEARTBEAT_INTERVAL": 1,
        "WORKERS__MAX_FAILED_HEARTBEATS": 30,
    }
    env = {f"AIRFLOW__{name}": str(value) for name, value in options.items()}
    path = os.pathsep.join(filter(None, [str(dags), os.environ.get("PYTHONPATH")]))
    return {"AIRFLOW_HOME": str(folder), "PYTHONPATH": path, **env}
