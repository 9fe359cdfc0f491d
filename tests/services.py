"""Real services, cheaply: one Postgres a session with a template database, one teacher, one S3 server.

Unit tests load this too, as a plugin: a fixture imports what it needs when it is asked for.
"""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import pytest

from tests.corpus import EXAMPLES, PARTITION

TEMPLATE = "gem_template"
START_LIMIT_S = 30


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(url, process, limit_s=START_LIMIT_S):
    deadline = time.monotonic() + limit_s
    while True:
        try:
            return urllib.request.urlopen(url, timeout=2).read()
        except urllib.error.HTTPError:
            return None
        except OSError:
            assert process.poll() is None, f"{url}: the server ended with {process.returncode}"
            assert time.monotonic() < deadline, f"{url} did not answer in {limit_s} s"
            time.sleep(0.05)


@pytest.fixture(scope="session")
def postgres(tmp_path_factory):
    from pydantic import SecretStr

    from gem_tasks.lineage.migrate import migrate
    from gem_tasks.local.postgres import Postgres

    server = Postgres(tmp_path_factory.mktemp("pg") / "data", free_port(), SecretStr("test-password"))
    server.start()
    server.create_database(TEMPLATE)
    migrate(server.dsn(TEMPLATE))
    yield server
    server.stop()


@pytest.fixture
def dsn(request, postgres):
    """A migrated database of the test's own: empty, or for `finished` with what a run leaves."""
    name = f"t{uuid4().hex[:12]}"
    done = "finished" in request.fixturenames and request.getfixturevalue("done_once")
    postgres.create_database(name, template=done.database if done else TEMPLATE)
    return postgres.dsn(name)


@pytest.fixture(scope="session")
def teacher_url():
    port = free_port()
    command = [sys.executable, "-m", "offline_teacher", "--port", str(port), "--workers", "1"]
    with subprocess.Popen(command) as process:
        wait_for(f"http://127.0.0.1:{port}/health", process)
        yield f"http://127.0.0.1:{port}/v1"
        process.terminate()


@pytest.fixture(scope="session")
def s3_endpoint():
    port = free_port()
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        wait_for(f"http://127.0.0.1:{port}/", process)
        yield f"http://127.0.0.1:{port}"
        process.terminate()


@pytest.fixture
def bucket(s3_endpoint, monkeypatch):
    """A fresh bucket; the environment points at the test's S3 server."""
    import boto3

    values = {
        "AWS_ENDPOINT_URL": s3_endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test-secret",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    name = f"b{uuid4().hex[:12]}"
    boto3.client("s3").create_bucket(Bucket=name)
    return name


def open_workspace(home, dsn, url, **changes):
    from pydantic import SecretStr

    from gem_tasks.pipeline.workspace import Workspace
    from gem_tasks.settings import Settings

    values = {
        "home": home,
        "postgres_dsn": SecretStr(dsn),
        "store_url": str(home / "store"),
        "llm_base_url": url,
        "shard_segments": 4,
    }
    return Workspace.open(Settings(**{**values, **changes}))


@pytest.fixture
def workspace(dsn, teacher_url, tmp_path):
    """A workspace on a directory, with small shards, so that a handful of documents makes several."""
    return partial(open_workspace, tmp_path, dsn, teacher_url)


class Done(NamedTuple):
    """What a whole run over the examples leaves."""

    database: str
    home: Path
    report: Any
    """Of the ingestion."""
    dataset: Any


@pytest.fixture(scope="session")
def done_once(postgres, teacher_url, tmp_path_factory):
    """One run a session, since it takes seconds; each test has a copy."""
    from gem_tasks.dataset.publish import publish
    from gem_tasks.pipeline.ingest.source import ingest
    from tests.planning import synthesise

    database, home = "gem_finished", tmp_path_factory.mktemp("finished")
    postgres.create_database(database, template=TEMPLATE)
    with pytest.MonkeyPatch.context() as patch:
        without_user_settings(patch)
        work = open_workspace(home, postgres.dsn(database), teacher_url)
        report = ingest(work, str(EXAMPLES), PARTITION)
        assert synthesise(work) > 0
        return Done(database, home, report, publish(work, PARTITION))


@pytest.fixture
def finished(done_once, workspace, tmp_path):
    """The examples after a whole run: the workspace, the report of the ingestion, the dataset."""
    shutil.copytree(done_once.home, tmp_path, dirs_exist_ok=True)
    place = done_once.dataset.location.replace(str(done_once.home), str(tmp_path))
    return workspace(), done_once.report, done_once.dataset.model_copy(update={"location": place})


def without_user_settings(patch):
    """Defaults, but one conversation a text: tests of several ask for them, and the others' counts stay small."""
    for name in list(os.environ):
        if name.startswith("GEM_"):
            patch.delenv(name)
    patch.setenv("GEM_MAX_WORKFLOWS", "1")


@pytest.fixture
def no_user_settings(monkeypatch):
    without_user_settings(monkeypatch)
