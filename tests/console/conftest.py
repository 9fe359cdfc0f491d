"""One lineage full of hostile text, and the pages over it: in-process for rights, on a port for the browser."""

import os
import socket
import threading
import time
from contextlib import contextmanager
from uuid import uuid4

import pytest
from pydantic import SecretStr

from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.settings import Settings
from tests.console import hostile, serving
from tests.services import TEMPLATE

serving.prepare()


def pytest_collection_modifyitems(items):
    """Airflow's own deprecations are not ours to fix."""
    for item in items:
        if "tests/console" in str(item.fspath):
            item.add_marker(pytest.mark.filterwarnings("default"))


@pytest.fixture(scope="session")
def work(postgres, tmp_path_factory):
    folder = tmp_path_factory.mktemp("console")
    name = f"t{uuid4().hex[:12]}"
    postgres.create_database(name, template=TEMPLATE)
    settings = Settings(
        home=folder,
        postgres_dsn=SecretStr(postgres.dsn(name)),
        store_url=str(folder / "store"),
        shard_segments=8,
        near_duplicate=0,
        max_workflows=1,
        segment_target_tokens=4000,
        segment_max_tokens=8000,
    )
    made = Workspace.open(settings)
    hostile.fill(made, folder / "corpus")
    return made


@pytest.fixture(scope="session")
def calls():
    """What the pages asked Airflow's API for."""
    return []


@pytest.fixture(scope="session")
def app(work, calls):
    values = {
        "GEM_POSTGRES_DSN": work.settings.database,
        "GEM_STORE_URL": work.settings.store_root,
        "GEM_HOME": str(work.settings.home),
        "GEM_SEGMENT_TARGET_TOKENS": "4000",
        "GEM_MAX_WORKFLOWS": "1",
        "GEM_SEGMENT_MAX_TOKENS": "8000",
    }
    made = serving.airflow_stand_in(calls)
    with environment(values):
        serving.ready(made)  # reads the settings once
    return made


@contextmanager
def environment(values):
    before = dict(os.environ)
    os.environ.update(values)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@pytest.fixture
def client(app):
    """As `(role or None) -> client`."""
    from fastapi.testclient import TestClient

    def make(role=None, **headers):
        if role:
            headers["Authorization"] = f"Bearer {serving.token(role)}"
        return TestClient(app, base_url=f"http://testserver{serving.PREFIX}/gem/", headers=headers)

    return make


@pytest.fixture(scope="session")
def address(app):
    """Where a browser finds the pages: behind a prefix."""
    import uvicorn

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    yield f"http://127.0.0.1:{port}{serving.PREFIX}/gem/"
    server.should_exit = True
    thread.join(10)


@pytest.fixture
def browse(chromium, address):
    """As `(role, theme, ...) -> page`; a page may show no dialog, run nothing of the data's, and ask nobody else."""
    opened = []

    def open_page(role="viewer", theme="light", **options):
        context = chromium.new_context(viewport=options.pop("viewport", {"width": 1280, "height": 900}), **options)
        context.add_cookies([{"name": "_token", "value": serving.token(role), "url": address}])
        context.add_init_script(f"localStorage.setItem('theme', '{theme}')")
        page, faults = context.new_page(), []
        page.on("dialog", lambda dialog: (faults.append(f"dialog {dialog.message}"), dialog.dismiss()))
        page.on(
            "request", lambda request: faults.append(f"asked {request.url}") if not ours(request.url, address) else None
        )
        page.on("pageerror", lambda error: faults.append(f"script: {error}"))
        page.on("console", lambda message: faults.append(message.text) if "Content Security" in message.text else None)
        page.faults = faults
        opened.append(context)
        return page

    yield open_page
    for context in opened:
        context.close()


def ours(url, address):
    return url.startswith(("/".join(address.split("/")[:3]), "blob:", "about:"))
