"""The whole stack as a user has it: `gem up`, `gem run` through Airflow, crashes, and `gem down`."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from gem_tasks.local import processes

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples" / "corpus"
GEM = Path(sys.executable).with_name("gem")

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("gem") / "home"
    yield folder
    gem(folder, "down")
    assert processes.ours(folder) == []


def gem(home, *arguments, check=True, **variables):
    env = {name: value for name, value in os.environ.items() if not name.startswith(("GEM_", "AIRFLOW"))}
    done = subprocess.run(
        [GEM, *map(str, arguments)],
        env={**env, "GEM_HOME": str(home), **variables},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    if check:
        assert done.returncode == 0, f"gem {arguments}: {done.stdout[-2000:]}{done.stderr[-4000:]}{logs(home)}"
    return done


def logs(home):
    """The ends of the services' logs: what a failing test is explained by."""
    return "".join(
        f"\n--- {path.name}\n{path.read_text(errors='replace')[-1500:]}" for path in (home / "logs").glob("*.log")
    )


def summary(home, *arguments, **variables):
    return json.loads(gem(home, "run", *arguments, "--json", **variables).stdout)


def query(home, sql):
    import psycopg

    dsn = next(
        line.split("=", 1)[1].strip("'")
        for line in (home / "services.env").read_text().splitlines()
        if line.startswith("GEM_POSTGRES_DSN")
    )
    with psycopg.connect(dsn) as connection:
        return connection.execute(sql).fetchall()


def test_up_gives_a_login_that_works_and_a_second_up_is_harmless(home):
    first = gem(home, "up")
    url, _, password = first.stdout.split()[1], *first.stdout.split("password ")[1].split()[:1], None
    again = gem(home, "up")
    assert url in again.stdout
    status = json.loads(gem(home, "status", "--json").stdout)
    assert status["healthy"], status
    assert gem(home, "doctor").returncode == 0
    assert password is None


def test_the_examples_run_through_airflow_and_again_for_nothing(home, tmp_path):
    first = summary(home, EXAMPLES)
    stages = {stage["stage"]: stage for stage in first["stages"]}
    assert stages["filter"]["calls"] > 0
    assert stages["validate"]["accepted"] >= 8
    assert first["documents"]["reasons"] == {"empty": 1, "bad_record": 1, "duplicate": 1}
    again = summary(home, EXAMPLES)
    assert sum(stage["calls"] for stage in again["stages"]) == 0
    assert again["dataset"]["version"] == first["dataset"]["version"]
    exported = json.loads(gem(home, "export", "--out", tmp_path / "out", "--json").stdout)
    assert exported["trajectories"] == first["dataset"]["trajectories"]
    shown = gem(home, "show", first["example"]).stdout
    assert "assistant" in shown
    life = json.loads(gem(home, "lineage", first["example"], "--json").stdout)
    outcomes = life["segments"][0]["outcomes"]
    assert [outcome["stage"] for outcome in outcomes] == ["filter", "extract", "generate", "refine", "validate"]
    assert all(outcome["airflow_run_id"].startswith("asset_triggered") for outcome in outcomes)


@pytest.mark.parametrize(
    ("source", "variables", "said"),
    [
        ("/does/not/exist", {}, "does not exist"),
        (str(EXAMPLES), {"GEM_LLM_MODEL": "gpt-wrong"}, "has no model 'gpt-wrong'"),
        (str(EXAMPLES), {"GEM_LLM_BASE_URL": "http://127.0.0.1:9/v1"}, "cannot be used"),
        (str(EXAMPLES), {"GEM_LLM_TIMEOUT_S": "soon"}, "GEM_LLM_TIMEOUT_S"),
        (str(EXAMPLES), {"GEM_POSTGRES_DSN": "postgresql://gem:hush@127.0.0.1:9/gem"}, "cannot be reached"),
        (str(EXAMPLES), {"GEM_AIRFLOW_PASSWORD": "wrong"}, "refuses the login"),
    ],
)
def test_what_the_user_can_mend_is_one_line_and_exit_code_2(home, source, variables, said):
    done = gem(home, "run", source, check=False, **variables)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert "hush" not in done.stderr


def test_no_secret_is_in_a_log_or_the_database(home):
    state = json.loads((home / "state.json").read_text())
    assert (home / "state.json").stat().st_mode & 0o077 == 0
    secrets = [value for name, value in state.items() if name != "ports"]
    for path in [
        *(home / "logs").glob("*"),
        *(home / "airflow" / "logs").rglob("*.log"),
        *(home / "store").rglob("*.json"),
    ]:
        text = path.read_text(errors="replace")
        assert not [secret for secret in secrets if secret in text], path


def test_a_run_survives_the_death_of_everything(home, tmp_path):
    """kill -9 of supervisor, scheduler, workers, API server and teacher in the middle of a stage, then `gem up`."""
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    text = (EXAMPLES / "library-loans.txt").read_text(encoding="utf-8")
    for number in range(120):
        (corpus / f"{number:03d}.txt").write_text(f"Branch {number}\n\n{text}", encoding="utf-8")
    ports = json.loads((home / "state.json").read_text())["ports"]
    slow = {"GEM_LLM_BASE_URL": f"http://127.0.0.1:{ports['teacher']}/v1?latency_s=0.5", "GEM_LLM_CONCURRENCY": "4"}
    gem(home, "down")
    gem(home, "up", **slow)
    env = {name: value for name, value in os.environ.items() if not name.startswith("GEM_")}
    with subprocess.Popen(
        [GEM, "run", corpus], env={**env, "GEM_HOME": str(home), **slow}, stderr=subprocess.DEVNULL
    ) as run:
        wait(lambda: done_by(home, "generate") > 0, "nothing was generated")
        for process in processes.ours(home):
            process.send_signal(signal.SIGKILL)
        run.kill()
    gem(home, "up")
    wait(lambda: done_by(home, "validate") >= 120, "the run did not go on", 240)
    assert (
        query(home, "SELECT count(*), count(DISTINCT segment_id) FROM stage_results WHERE stage = 'generate'")[0][0]
        == (query(home, "SELECT count(DISTINCT segment_id) FROM stage_results WHERE stage = 'generate'")[0][0])
    )
    published = "SELECT count(*), count(DISTINCT segment_id) FROM trajectories WHERE segment_id IN (SELECT segment_id FROM segments JOIN documents USING (document_id) WHERE uri LIKE '%/corpus/%')"
    wait(lambda: query(home, published)[0][0] >= 120, "nothing was published", 120)
    assert query(home, published)[0] == (query(home, published)[0][0],) * 2


def done_by(home, stage):
    return query(
        home,
        f"SELECT count(*) FROM stage_results WHERE stage = '{stage}' AND airflow_run_id IS NOT NULL AND segment_id IN (SELECT segment_id FROM segments JOIN documents USING (document_id) WHERE uri LIKE '%.txt' AND uri NOT LIKE '%examples%')",
    )[0][0]


def wait(condition, complaint, limit_s=120):
    deadline = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline, complaint
        time.sleep(0.5)


def test_synth_needs_no_airflow(tmp_path):
    home = tmp_path / "small"
    try:
        done = gem(home, "synth", EXAMPLES / "library-loans.txt", "--out", tmp_path / "out", "--json")
        assert json.loads(done.stdout)["dataset"]["trajectories"] == 1
        assert not [process for process in processes.ours(home) if "airflow" in " ".join(process.cmdline())]
        assert len((tmp_path / "out" / "trajectories.jsonl").read_text().splitlines()) == 1
    finally:
        gem(home, "down")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_the_database_runs_for_a_normal_user_and_below_a_private_folder(tmp_path):
    from pydantic import SecretStr

    from gem_tasks.local.postgres import Postgres

    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    server = Postgres(private / "pg", 0, SecretStr("x"))
    assert not server.data.is_relative_to(private)
    shutil.rmtree(server.data.parent, ignore_errors=True)
    assert psutil.Process().uids().real == 0
