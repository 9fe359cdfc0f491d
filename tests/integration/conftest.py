"""Settings are defaults, whatever the environment holds; a teacher and a ledger of a test's own."""

import json
import os
import signal
import subprocess
import sys
import urllib.request

import pytest

from gem_tasks.lineage import Ledger
from tests.corpus import EXAMPLES, PARTITION
from tests.integration.ledger_rows import CHAIN, document, segment
from tests.services import free_port, wait_for


@pytest.fixture(autouse=True)
def only_defaults(no_user_settings):
    """No test sees the settings of the environment."""


@pytest.fixture
def teacher(tmp_path):
    """A teacher of the test's own: `start(faults)`, `stop()`, `url`, `batches()`."""

    class Teacher:
        port = free_port()
        url = f"http://127.0.0.1:{port}/v1"
        process = None

        def start(self, faults=""):
            command = [sys.executable, "-m", "offline_teacher", "--port", str(self.port), "--workers", "1"]
            command += ["--state", str(tmp_path / "teacher"), "--faults", faults]
            self.process = subprocess.Popen(command, start_new_session=True)
            wait_for(f"http://127.0.0.1:{self.port}/health", self.process)
            return self

        def stop(self):
            if self.process and self.process.poll() is None:
                os.killpg(self.process.pid, signal.SIGKILL)  # its workers too: they would wait for it for ever
                self.process.wait()

        def batches(self):
            return json.load(urllib.request.urlopen(f"{self.url}/batches?limit=100"))["data"]

        def files(self):
            return sorted(path.name for path in (tmp_path / "teacher" / "files").iterdir())

    made = Teacher()
    yield made
    made.stop()


@pytest.fixture
def ledger(dsn):
    """A ledger with two documents of one segment each, and the recipes."""
    with Ledger(dsn) as opened:
        opened.stages.record_recipes(CHAIN.prompt_texts(), CHAIN.recipes)
        source = opened.sources.register_source("file:///corpus")
        opened.ingestion.commit_ingest(
            PARTITION, source, [document(n) for n in (1, 2)], {0: [segment(1)], 1: [segment(2)]}
        )
        yield opened


@pytest.fixture
def prepared(workspace, teacher):
    """A workspace in batch mode with one shard."""
    from gem_tasks.pipeline.ingest.source import ingest
    from tests.planning import plan

    def make(faults="", **changes):
        teacher.start(faults)
        work = workspace(
            llm_base_url=teacher.url, llm_mode="batch", llm_batch_poll_s=0.1, shard_segments=100, **changes
        )
        ingest(work, str(EXAMPLES), PARTITION)
        assert plan(work, PARTITION) == [{"partition": PARTITION, "shard": 0}]
        return work

    return make


@pytest.fixture
def opened(monkeypatch):
    """Every file that is read."""
    seen = []
    from gem_tasks.pipeline.ingest import source as module

    real = module.read

    def read(found, *limits):
        seen.append(found.uri.rpartition("/")[2])
        return real(found, *limits)

    monkeypatch.setattr(module, "read", read)
    return seen
