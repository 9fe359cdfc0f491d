"""SIGKILL after any write of the synthesizer's line; what continues it loses nothing and asks nothing twice."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import pytest

from gem_tasks.lineage import RunContext
from gem_tasks.pipeline.batch.run import run_stage
from gem_tasks.pipeline.ingest.source import ingest
from gem_tasks.pipeline.shard.records import outcomes_of
from gem_tasks.pipeline.shard.synthesizer import synthesize_first
from tests.corpus import EXAMPLES, NAMES
from tests.integration.endpoint import Front
from tests.integration.recalling import CALM, LATER, Synthesizer
from tests.planning import plan
from tests.services import open_workspace

OPTIONS = {
    "synthesizer": "model",
    "synthesizer_sample": 1,
    "shard_segments": 100,
    "near_duplicate": 0,
    "llm_concurrency": 1,
    "max_workflows": 1,
}


@pytest.fixture
def front(finished, teacher_url):
    """An endpoint with a synthesizer that knows the finished examples."""
    model = Synthesizer()
    model.learn(finished[0])
    with Front(teacher_url, model) as opened:
        yield opened


@pytest.fixture
def copy(finished, front, postgres, dsn, tmp_path):
    """Makes copies of one state, in which only the filter is through: the home, the database and its settings."""
    corpus, home = tmp_path / "later", tmp_path / "state"
    corpus.mkdir()
    for name in NAMES:
        (corpus / name).write_text((EXAMPLES / name).read_text(encoding="utf-8") + CALM, encoding="utf-8")
    shutil.copytree(tmp_path / "store", home / "store")
    work = open_workspace(home, dsn, front.url, **OPTIONS)
    ingest(work, str(corpus), LATER)
    plan(work, LATER)
    run_stage(work, "filter", LATER, 0, RunContext(run_id="before"))
    template = work.settings.database.rpartition("/")[2].partition("?")[0]

    def make():
        name = f"t{uuid4().hex[:12]}"
        postgres.create_database(name, template=template)
        shutil.copytree(home, tmp_path / name)
        return tmp_path / name, postgres.dsn(name), front.url

    return make


@pytest.fixture
def live():
    """Lets a process do the work in a copy until it is killed after a write: see `killed_line`."""
    command = [sys.executable, "-m", "tests.integration.killed_line"]
    root = Path(__file__).parents[2]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=root) as lives:

        def until(state, number):
            home, dsn, url = state
            settings = {"home": str(home), "postgres_dsn": dsn, "store_url": str(home / "store"), "llm_base_url": url}
            lives.stdin.write(json.dumps([settings | OPTIONS, LATER, number]) + "\n")
            lives.stdin.flush()
            return lives.stdout.readline().strip()

        yield until
        lives.stdin.close()


def test_a_kill_after_any_write_loses_nothing_and_asks_nothing_twice(copy, live, front):
    front.asked.clear()
    whole = copy()
    count = int(live(whole, 0))
    requests, found = len(front.asked), continued(whole)
    assert (requests, len(front.asked) - requests) == (4, 0), "two texts, and a judgement of each"
    writes = set()
    for number in range(1, count):
        front.asked.clear()
        state = copy()
        writes.add(live(state, number))
        assert continued(state) == found, f"killed after write {number}, {writes}"
        again = len(front.asked) - requests
        assert again <= 1, f"{again} requests repeated, not only the one in flight, after write {number}, {writes}"
    assert {"append", "put stages", "INSERT INTO stage_results", "INSERT INTO gate_decisions", "discard"} <= writes


def continued(state):
    """What is recorded when another process has continued the work of a copy."""
    work = open_workspace(*state, **OPTIONS)
    synthesize_first(work, "extract", LATER, 0, RunContext(run_id="continued"))
    with work.ledger() as ledger:
        rows = ledger.pg.execute(
            "SELECT stage, segment_id, outcome, calls, completion_tokens FROM stage_results"
            " WHERE stage IN ('synthesize', 'confirm') ORDER BY 1, 2"
        ).fetchall()
    line = work.with_synthesizer
    kept = [outcomes_of(line, stage, LATER, 0) for stage in ("synthesize", "confirm")]
    assert [len(each) for each in kept] == [2, 2]
    return rows, [{key: outcome.kind for key, outcome in each.items()} for each in kept]
