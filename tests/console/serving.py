"""The pages as Airflow mounts them, without a stack: its app's place and prefix, its auth manager, its tokens."""

import os
import sys
import tempfile
from functools import cache
from pathlib import Path

PLUGINS = Path(__file__).parents[2] / "plugins"
PREFIX = "/behind/a/proxy"
ROLES = ("viewer", "user", "op", "admin")


def prepare():
    """Airflow's environment, before anything of it is imported."""
    home = os.environ.setdefault("AIRFLOW_HOME", tempfile.mkdtemp(prefix="gem-airflow-"))
    os.environ.setdefault("AIRFLOW__CORE__LOAD_EXAMPLES", "False")
    os.environ.setdefault("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", f"sqlite:///{home}/airflow.db")
    os.environ.setdefault("AIRFLOW__API_AUTH__JWT_SECRET", "only-for-tests-" * 8)
    os.environ.setdefault("AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS", ",".join(f"{role}:{role}" for role in ROLES))
    if str(PLUGINS) not in sys.path:
        sys.path.insert(0, str(PLUGINS))


def airflow_stand_in(calls):
    """An app that holds the pages where Airflow's would, and records what they ask Airflow's API for."""
    from airflow.api_fastapi.app import init_auth_manager
    from fastapi import FastAPI, Request

    from gem_console.plugin import PREFIX as MOUNT
    from gem_console.plugin import LazyApp

    airflow_database()
    init_auth_manager()
    app = FastAPI(root_path=PREFIX)

    @app.post("/api/v2/dags/{dag}/dagRuns")
    async def trigger(dag: str, request: Request):
        calls.append((dag, await request.json(), dict(request.headers)))
        return {"dag_run_id": f"manual__{len(calls)}"}

    @app.post("/api/v2/backfills/dry_run")
    @app.post("/api/v2/backfills")
    async def backfill(request: Request):
        calls.append(("backfill", await request.json(), dict(request.headers)))
        return {"total_entries": 3} if request.url.path.endswith("dry_run") else {"id": 7}

    app.mount(MOUNT, LazyApp())
    return app


def ready(app):
    """Makes the pages read their settings now."""
    from fastapi.testclient import TestClient

    answer = TestClient(app).get(f"{PREFIX}/gem/", headers={"Authorization": f"Bearer {token('viewer')}"})
    assert answer.status_code == 200, answer.text


@cache
def airflow_database():
    from airflow.utils.db import initdb

    initdb()


def token(role):
    from airflow.api_fastapi.app import get_auth_manager
    from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser

    return get_auth_manager().generate_jwt(SimpleAuthManagerUser(username=role, role=role))
