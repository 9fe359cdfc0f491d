"""Two Celery hosts that share no file, over Redis, Postgres and S3; one of them dies in the middle of a stage."""

import json
import os
import shutil
import tempfile
import time
from pathlib import Path

import pytest

from benchmarks.distributed.cluster import Cluster

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif("GEM_TEST_CLUSTER" not in os.environ, reason="four minutes: set GEM_TEST_CLUSTER=1"),
    pytest.mark.skipif(not shutil.which("redis-server"), reason="needs redis-server: apt-get install redis-server"),
]

DOCUMENTS = 48
TEXT = (Path(__file__).parents[2] / "examples/corpus/library-loans.txt").read_text(encoding="utf-8")


@pytest.fixture
def home():
    """A folder that other users, which the workers are, may pass through; pytest closes its own to them."""
    with tempfile.TemporaryDirectory(prefix="gem-cluster-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture
def cluster(home):
    gates = home / "gates.toml"
    gates.write_text("[default]\n", encoding="utf-8")
    settings = {
        "GEM_NEAR_DUPLICATE": "0",  # the documents are copies of one
        "GEM_GATES": str(gates),
        "GEM_SHARD_SEGMENTS": "8",
        "GEM_LLM_CONCURRENCY": "2",
    }
    with Cluster(home / "c", "latency_s=0.5", settings) as running:
        yield running


def test_a_lost_worker_host_loses_and_doubles_nothing(cluster):
    cluster.add_worker("worker0", slots=2)
    cluster.add_worker("worker1", slots=2)
    for number in range(DOCUMENTS):
        source = cluster.upload(f"{number:03d}.txt", f"Branch {number}\n\n{TEXT}".encode())
    run = cluster.gem("run", source, "--json")
    wait(lambda: outcomes(cluster, "generate") > 0, run)
    assert all((cluster.home / name / "gem").exists() for name in ("worker0", "worker1")), "one host did all the work"
    cluster.kill("worker1")
    done_before = outcomes(cluster, "generate")
    assert done_before < DOCUMENTS, "the kill came too late to prove anything"
    out, err = run.communicate(timeout=900)
    assert run.returncode == 0, err[-3000:]
    assert json.loads(out)["dataset"]["trajectories"] == DOCUMENTS
    for stage in ("filter", "extract", "generate", "refine", "validate"):
        assert outcomes(cluster, stage) == DOCUMENTS, stage
    rows = cluster.query("SELECT count(*), count(DISTINCT segment_id) FROM trajectories")
    assert rows == [(DOCUMENTS, DOCUMENTS)]


def outcomes(cluster, stage):
    return cluster.query("SELECT count(*) FROM stage_results WHERE stage = %s", stage)[0][0]


def wait(condition, run, limit_s=600):
    deadline = time.monotonic() + limit_s
    while not condition():
        assert run.poll() is None, run.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.2)
