"""Gates, people, retries through Airflow: a person lets one gate pass, the next one halts, a retry fixes the rest."""

import json
import os
import subprocess

import pytest

from tests.e2e.stack import EXAMPLES, GEM, ONE, gem, query, wait

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif("GEM_TEST_GATES" not in os.environ, reason="a stack of its own: set GEM_TEST_GATES=1"),
]

STRICT = """[default]
[filter]
accepted_share = [{ min = 0.99, action = "review", sample = 2 }]
[validate]
mean_messages = [{ min = 5000, action = "halt", sample = 1 }]
"""
OUTCOMES = "SELECT segment_id, stage, outcome, attempts, calls, updated_at FROM stage_results"


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("gem") / "gates"
    yield folder
    gem(folder, "down")


def test_a_person_is_asked_a_halt_publishes_nothing_and_a_retry_touches_nothing_else(home, tmp_path):
    policy = tmp_path / "gates.toml"
    policy.write_text(STRICT, encoding="utf-8")
    gem(home, "up", GEM_GATES=str(policy))
    port = json.loads((home / "state.json").read_text())["ports"]["teacher"]
    gem(home, "down")
    faulty = f"http://127.0.0.1:{port}/v1?rate_refused=0.15&rate_suffixed=0.5&seed=3"
    settings = {"GEM_GATES": str(policy), "GEM_LLM_BASE_URL": faulty}
    gem(home, "up", **settings)

    env = {name: value for name, value in os.environ.items() if not name.startswith("GEM_")} | ONE | settings
    command = [GEM, "run", EXAMPLES]
    with subprocess.Popen(command, env={**env, "GEM_HOME": str(home)}, stderr=subprocess.PIPE, text=True) as run:
        try:
            wait(lambda: waiting(home), "nobody was asked", 240)
            (asked,) = waiting(home)
            gem(home, "review", "filter", "--go-on", "--comment", "small sample")
            _, complaint = run.communicate(timeout=240)
        finally:
            run.kill()
    ((rejected,),) = query(home, "SELECT count(*) FROM stage_results WHERE stage = 'filter' AND outcome = 'rejected'")
    assert asked["body"].count("```text") == min(5, rejected)
    assert "| accepted_share |" in asked["body"]
    (halted,) = (line for line in complaint.splitlines() if "gate after validate halted" in line)
    assert run.returncode != 0
    assert "mean_messages" in halted
    assert query(home, "SELECT count(*) FROM datasets") == [(0,)]
    decided = query(home, "SELECT stage, action, person FROM gate_decisions ORDER BY decision_id")
    assert ("filter", "continue", "admin") in decided
    assert decided[-1] == ("validate", "halt", None)

    before = {row[:2]: row[2:] for row in query(home, OUTCOMES)}
    failed = {key for key, (outcome, *_) in before.items() if outcome == "failed"}
    assert failed, "the endpoint refused nothing"
    policy.write_text("[default]\n", encoding="utf-8")
    report = json.loads(gem(home, "retry", "--class", "refused", "--json", **settings).stdout)
    assert sum(report["segments"].values()) == len(failed)
    wait(lambda: query(home, "SELECT count(*) FROM datasets") == [(1,)], "the retry published nothing", 240)
    after = {row[:2]: row[2:] for row in query(home, OUTCOMES)}
    assert {key: after[key] for key in before.keys() - failed} == {key: before[key] for key in before.keys() - failed}
    assert all(after[key] != before[key] for key in failed)
    ((revised,),) = query(
        home, "SELECT count(*) FROM stage_results WHERE stage = 'revalidate' AND outcome = 'accepted'"
    )
    ((manifest,),) = query(home, "SELECT manifest FROM datasets")
    assert manifest["revised"] == revised > 0, "what validate refused came through its second chance"


def waiting(home):
    return json.loads(gem(home, "review", "--json").stdout)
