"""The whole stack as a user has it: `gem up`, `gem run` through Airflow, crashes, and `gem down`."""

import hashlib
import json
import os
import re
import signal
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from psycopg.sql import SQL, Identifier

from gem_tasks.local import processes
from gem_tasks.local.airflow_api import AirflowAPI
from gem_tasks.settings import Settings
from tests.e2e.stack import EXAMPLES, GEM, ONE, PLANTED, change, connect, gem, query, wait

LIMIT_S = 120

pytestmark = pytest.mark.e2e


def summary(home, *arguments, **variables):
    return json.loads(gem(home, "run", *arguments, "--json", **variables).stdout)


def test_up_gives_a_login_that_works_and_a_second_up_is_harmless(home):
    url, user, password = re.search(r"(http\S+)\s+user (\S+)\s+password (\S+)", gem(home, "up").stdout).groups()
    assert url in gem(home, "up").stdout
    assert httpx.post(f"{url}/auth/token", json={"username": user, "password": password}).status_code == 201
    assert httpx.post(f"{url}/auth/token", json={"username": user, "password": "wrong"}).status_code == 401
    status = json.loads(gem(home, "status", "--json").stdout)
    assert status["healthy"], status
    assert gem(home, "doctor").returncode == 0


def test_the_examples_run_through_airflow_and_again_for_nothing(home, tmp_path):
    with AirflowAPI(Settings(_env_file=home / "services.env")) as api:
        assert api.unpause("gem_distill")
        first = summary(home, EXAMPLES)
        states = states_of_what_the_dataset_starts(api, first["partition"])
    assert states == {"plan": "skipped"} | dict.fromkeys(states.keys() - {"plan"}, "skipped")  # too little is new
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


def states_of_what_the_dataset_starts(api, partition):
    """Waits for the run of `gem_distill` that the dataset's asset event starts, to its end."""
    deadline = time.monotonic() + LIMIT_S
    while time.monotonic() < deadline:
        if runs := api.runs_of_partition("gem_distill", partition):
            if api.run_state("gem_distill", runs[0]) in ("success", "failed"):
                return {task["task_id"]: task["state"] for task in api.tasks("gem_distill", runs[0])}
        time.sleep(1)
    pytest.fail(f"no run of gem_distill for {partition} ended in {LIMIT_S} s")


def test_airflows_backfill_recomputes_what_is_stale_and_ingests_nothing(home):
    """A variant of the refine prompt over a past partition, then results that are gone, both by Airflow itself."""
    accepted = "SELECT DISTINCT recipe_id FROM trajectories"
    ((partition, version),) = query(home, "SELECT partition_key, version FROM datasets")
    ((current,),) = query(home, accepted)
    first = stage_calls(home)
    documents = query(home, "SELECT count(*), max(ingested_at) FROM documents")
    text = query(home, "SELECT text FROM prompts WHERE name = 'refine'")[0][0] + "\nBe terse.\n"
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    change(home, "INSERT INTO prompts (sha256, name, text) VALUES (%s, 'refine', %s)", sha256, text)
    where = ("--from", partition, "--to", partition)
    (made,) = json.loads(gem(home, "backfill", *where, "--prompt", f"refine={sha256[:12]}", "--json").stdout)
    assert made["runs"] == {partition: "success"}
    again = {stage: calls - first[stage] for stage, calls in stage_calls(home).items()}
    assert again == {"filter": 0, "extract": 0, "generate": 0, "refine": first["refine"], "validate": first["validate"]}
    assert query(home, "SELECT version FROM datasets WHERE superseded_by IS NULL") == [(version,)]
    assert json.loads(gem(home, "stale", "--json").stdout)["ranges"] == []
    change(home, "DELETE FROM stage_results WHERE recipe_id = %s", current)
    found = json.loads(gem(home, "stale", "--json").stdout)
    assert [stage["stage"] for stage in found["stages"]] == ["validate"]
    assert found["commands"][0]["gem"] == f"gem backfill --from {partition} --to {partition}"
    (made,) = json.loads(gem(home, "backfill", "--json", "--order", "oldest").stdout)
    assert made["runs"] == {partition: "success"}
    assert stage_calls(home)["validate"] == 2 * first["validate"]
    assert query(home, "SELECT count(*), max(ingested_at) FROM documents") == documents
    with AirflowAPI(Settings(_env_file=home / "services.env")) as api:
        runs = api.backfill_runs("gem_ingest", "2026-01-01")
        states = {task["task_id"]: task["state"] for task in api.tasks("gem_ingest", runs[partition]["dag_run_id"])}
    assert states["list_sources"] == states["ingest_source"] == "skipped"
    assert states["announce"] == states["synthesised"] == "success"


@pytest.mark.skipif("GEM_TEST_BACKFILL" not in os.environ, reason="five minutes: set GEM_TEST_BACKFILL=1")
def test_a_backfill_is_paused_continued_and_cancelled_while_new_documents_come_in(home, tmp_path):
    keys = [f"2026-02-01T{hour:02}:00" for hour in (3, 4, 5)]
    # Four texts that are no repetitions of each other.
    words = [("driver", "permit", "vehicle"), ("tenant", "lease", "flat"), ("skipper", "berth", "boat")]
    with AirflowAPI(Settings(_env_file=home / "services.env")) as api:
        for key, (reader, loan, item) in zip(keys, words, strict=True):
            source = make_corpus(tmp_path / key, 1, reader=reader, loan=loan, item=item)
            run = api.trigger("gem_ingest", key, {"source": str(source)})
            wait(lambda run=run: api.run_state("gem_ingest", run) == "success", f"{key} was not read")
        wait(lambda: judged(home, keys) == 3, f"synthesis did not come to its end: {judged(home, keys)} of 3")
        change(home, "DELETE FROM stage_results WHERE stage = 'validate' AND " + OF_PARTITIONS, keys)
        with backfill_of(home, keys) as running, killed_at_last(running):
            wait(lambda: api.open_backfills("gem_ingest"), "no backfill was made")
            number = api.open_backfills("gem_ingest")[0]["id"]
            api.change_backfill(number, "pause")
            new = make_corpus(tmp_path / "new", 1, reader="patient", loan="visit", item="bed")
            summary(home, new)
            assert published(home, new) == (1, 1), "a paused backfill held up new documents"
            assert judged(home, keys) <= 1, "a paused backfill starts no further run"
            assert api.backfill_state(number)["is_paused"]
            api.change_backfill(number, "unpause")
            wait(lambda: judged(home, keys) >= 1, "the backfill did not go on")
            api.change_backfill(number, "cancel")
            output, errors = running.communicate(timeout=120)
        assert running.returncode == 1, output + errors
        assert "the same command continues" in errors
    left = 3 - judged(home, keys)
    assert left, "the backfill was over before it was cancelled"
    (made,) = json.loads(gem(home, "backfill", "--from", keys[0], "--to", keys[2], "--json").stdout)
    assert sorted(made["runs"].values()) == ["success"] * len(made["runs"])
    assert judged(home, keys) == 3
    assert len(made["runs"]) == left


OF_PARTITIONS = "segment_id IN (SELECT segment_id FROM segments WHERE partition_key = ANY(%s))"


@contextmanager
def killed_at_last(process):
    try:
        yield
    finally:
        process.kill()


def judged(home, keys):
    """Segments of partitions with a verdict."""
    return query(home, "SELECT count(*) FROM stage_results WHERE stage = 'validate' AND " + OF_PARTITIONS, keys)[0][0]


def backfill_of(home, keys):
    """The command at work, one partition at a time."""
    own = ONE | {"GEM_HOME": str(home)}
    env = {name: value for name, value in os.environ.items() if not name.startswith("GEM_")} | own
    command = [GEM, "backfill", "--from", keys[0], "--to", keys[-1], "--order", "oldest", "--max-active", "1", "--json"]
    return subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def stage_calls(home):
    return dict(query(home, "SELECT stage, sum(calls)::int FROM stage_results GROUP BY stage"))


@pytest.mark.parametrize(
    ("source", "variables", "said"),
    [
        ("/does/not/exist", {}, "does not exist"),
        (str(EXAMPLES), {"GEM_LLM_MODEL": "gpt-wrong"}, "cannot be used with model 'gpt-wrong'"),
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


def test_no_secret_is_in_a_log_an_object_or_a_database(home):
    state = json.loads((home / "state.json").read_text())
    assert (home / "state.json").stat().st_mode & 0o077 == 0
    secrets = [PLANTED, *(value for name, value in state.items() if name != "ports")]
    for folder in ("logs", "airflow/logs", "store", "journal"):
        for path in filter(Path.is_file, (home / folder).rglob("*")):
            data = path.read_bytes()
            assert not [secret for secret in secrets if secret.encode() in data], path
    for database in ("gem", "airflow"):
        with connect(home, database) as pg:
            tables = pg.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
            assert len(tables) > 10
            for (table,) in tables:
                found = SQL("SELECT count(*) FROM {} AS t WHERE t::text LIKE ANY(%s)").format(Identifier(table))
                assert pg.execute(found, [[f"%{secret}%" for secret in secrets]]).fetchone() == (0,), table


def test_a_run_survives_the_death_of_everything(home, tmp_path):
    """kill -9 of supervisor, scheduler, workers, API server and teacher in the middle of a stage, then `gem up`."""
    corpus = make_corpus(tmp_path / "corpus", 120)
    port = json.loads((home / "state.json").read_text())["ports"]["teacher"]
    (tmp_path / "gates.toml").write_text("[default]\n", encoding="utf-8")
    # The documents are copies of one, and all of them are to count: no gate may ask a person about so little variety.
    copies = {"GEM_NEAR_DUPLICATE": "0", "GEM_GATES": str(tmp_path / "gates.toml")}
    teacher = f"http://127.0.0.1:{port}/v1?latency_s=0.5"
    slow = {"GEM_LLM_BASE_URL_GENERATE": teacher, "GEM_LLM_CONCURRENCY": "4", **copies}  # only where it is to die
    gem(home, "down")
    gem(home, "up", **slow)
    env = {name: value for name, value in os.environ.items() if not name.startswith("GEM_")} | ONE
    command = [GEM, "run", corpus]
    with subprocess.Popen(command, env={**env, "GEM_HOME": str(home), **slow}, stderr=subprocess.DEVNULL) as run:
        wait(lambda: outcomes(home, corpus, "generate") > 0, "nothing was generated")
        for process in processes.ours(home):
            process.send_signal(signal.SIGKILL)
        run.kill()
    assert 0 < outcomes(home, corpus, "generate") < 120, "the kill came too late to prove anything"
    gem(home, "up", **copies)
    wait(lambda: published(home, corpus)[0] >= 120, "the run did not go on", 300)
    assert published(home, corpus) == (120, 120)
    assert outcomes(home, corpus, "generate") == outcomes(home, corpus, "validate") == 120


def make_corpus(folder, count, **words):
    folder.mkdir()
    text = (EXAMPLES / "library-loans.txt").read_text(encoding="utf-8")
    for old, new in words.items():
        text = text.replace(old, new).replace(old.title(), new.title())
    for number in range(count):
        (folder / f"{number:03d}.txt").write_text(f"Branch {number}\n\n{text}", encoding="utf-8")
    return folder


def outcomes(home, corpus, stage):
    """Outcomes of a stage over the documents of a folder."""
    (row,) = query(
        home,
        "SELECT count(*) FROM stage_results JOIN segments USING (segment_id) JOIN documents USING (document_id) "
        "WHERE stage = %s AND starts_with(uri, %s)",
        stage,
        f"file://{corpus}/",
    )
    return row[0]


def published(home, corpus):
    """Trajectories in current datasets, and distinct segments among them."""
    (row,) = query(
        home,
        "SELECT count(*), count(DISTINCT segment_id) FROM trajectories JOIN segments USING (segment_id) "
        "JOIN documents USING (document_id) "
        "JOIN datasets ON version = dataset_version AND datasets.superseded_by IS NULL "
        "WHERE starts_with(uri, %s)",
        f"file://{corpus}/",
    )
    return row


def test_synth_needs_no_airflow(tmp_path):
    home = tmp_path / "small"
    try:
        done = gem(home, "synth", EXAMPLES / "library-loans.txt", "--out", tmp_path / "out", "--json")
        assert json.loads(done.stdout)["dataset"]["trajectories"] == 1
        commands = [" ".join(process.cmdline()).replace(str(home), "") for process in processes.ours(home)]
        assert not [command for command in commands if "airflow" in command]
        assert len((tmp_path / "out" / "trajectories.jsonl").read_text().splitlines()) == 1
    finally:
        gem(home, "down")
