"""An endpoint that refuses everything, through Airflow: red where people look, said where they type, and put right."""

import json
import os
import shutil

import pytest

from gem_tasks.local.airflow_api import AirflowAPI
from gem_tasks.settings import Settings
from tests.e2e.stack import EXAMPLES, gem, query
from tests.integration.endpoint import Front
from tests.integration.refusals import BAD, WORDS, refusing

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif("GEM_TEST_GATES" not in os.environ, reason="a stack of its own: set GEM_TEST_GATES=1"),
]


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    """A home whose endpoint is a front before its own teacher."""
    home = tmp_path_factory.mktemp("gem") / "refusals"
    gem(home, "up")
    port = json.loads((home / "state.json").read_text())["ports"]["teacher"]
    gem(home, "down")
    with Front(f"http://127.0.0.1:{port}/v1") as front:
        settings = {"GEM_LLM_BASE_URL": front.url, "GEM_LLM_MAX_ATTEMPTS": "1"}
        gem(home, "up", **settings)
        yield home, front, settings
        gem(home, "down")


def test_a_refused_parameter_is_a_red_task_and_the_same_command_continues(stack, tmp_path):
    home, front, settings = stack
    corpus = tmp_path / "docs"
    shutil.copytree(EXAMPLES, corpus)
    for number in range(8):  # near duplicates, which no model is asked about
        text = (EXAMPLES / "library-loans.txt").read_text()
        (corpus / f"copy{number}.txt").write_text(f"{text}\nCopy {number}.\n")
    front.refuse = refusing(400)()
    done = gem(home, "run", corpus, check=False, **settings)
    assert done.returncode == 1
    assert "filter.run" in done.stderr
    assert WORDS in done.stderr
    assert "Then rerun: no segment was marked as failed" in done.stderr
    assert states(home)["filter.run"] == "failed"
    assert states(home)["publish"] != "success"
    assert query(home, "SELECT count(*) FROM stage_results WHERE outcome = 'failed'") == [(0,)]
    front.refuse = refusing(500)(BAD)
    shown = gem(home, "run", corpus, **settings).stdout
    assert "1 failed in filter (server_error)" in shown
    assert "gem retry --partition" in shown
    assert query(home, "SELECT count(*) > 5 FROM trajectories") == [(True,)]
    assert gem(home, "run", corpus, **settings).returncode == 0


def states(home):
    """Task states of the newest synthesis."""
    with AirflowAPI(Settings(_env_file=home / "services.env")) as api:
        run = api._call("GET", "/api/v2/dags/gem_synthesize/dagRuns", params={"order_by": "-id"})["dag_runs"][0]
        return {task["task_id"]: task["state"] for task in api.tasks("gem_synthesize", run["dag_run_id"])}
