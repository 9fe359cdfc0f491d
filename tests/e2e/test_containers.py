"""The deployment of docker-compose.yml in real containers: used, hurt, stopped, and started again.

GEM_TEST_CONTAINERS=1 .venv/bin/pytest tests/e2e/test_containers.py -x      # ten minutes; an engine and 6 GiB of memory

What stands in for images that cannot be fetched: `compose.py`.
"""

import json
import os
import subprocess
from itertools import pairwise

import pytest

from gem_tasks.domain.stage import STAGE_NAMES
from tests.e2e.compose import Deployment, wait

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif("GEM_TEST_CONTAINERS" not in os.environ, reason="needs an engine: set GEM_TEST_CONTAINERS=1"),
]

UPLOAD = """
import boto3
from gem_tasks.resources import shipped
for path in sorted(shipped("examples").joinpath("corpus").iterdir()):
    boto3.client("s3").upload_file(str(path), "gem", f"raw/{path.name}")
"""
READ = """
import io, json, boto3, pyarrow.parquet as parquet
s3, rows = boto3.client("s3"), []
for found in s3.list_objects_v2(Bucket="gem", Prefix="datasets/{version}/")["Contents"]:
    if found["Key"].endswith(".parquet"):
        body = s3.get_object(Bucket="gem", Key=found["Key"])["Body"].read()
        rows += parquet.read_table(io.BytesIO(body)).to_pylist()
print(json.dumps([[row["trajectory_id"], len(json.loads(row["messages"]))] for row in rows]))
"""
RUNNING = """
SELECT hostname, task_id FROM task_instance
WHERE dag_id = 'gem_synthesize' AND task_id = 'generate.run'
AND state = 'running' AND start_date < now() - interval '1 s'
"""
CALLS = "SELECT sum(calls), count(*) FROM stage_results"


@pytest.fixture(scope="module")
def deployment(tmp_path_factory):
    # One workflow of each text, so that every stage has one result for each that the stage before accepted.
    settings = {"GEM_SHARD_SEGMENTS": "3", "GEM_LLM_CONCURRENCY": "1", "GEM_MAX_WORKFLOWS": "1"}
    found = Deployment(tmp_path_factory.mktemp("compose"), settings)
    found.answer("latency_s=2")
    try:
        found.run("build")
        found.start()
        yield found
    finally:
        found.remove()


@pytest.fixture(scope="module")
def published(deployment):
    """The summary of a run in which one of two workers died while it was generating."""
    deployment.python(UPLOAD)
    run = deployment.start_gem("run", "s3://gem/raw", "--json")

    def at_work():
        assert run.poll() is None, run.communicate()
        return deployment.query(RUNNING, "airflow")

    host = wait(at_work)[0][0]
    subprocess.run(["docker", "kill", host], check=True, capture_output=True)
    out, err = run.communicate(timeout=900)
    assert run.returncode == 0, err[-2000:] + deployment.state()
    return json.loads(out)


def test_every_service_is_well_and_the_doctor_says_so(deployment):
    def well():  # a busy machine answers late at first
        found = {
            each["name"]: each["ok"] for each in json.loads(deployment.gem("doctor", "--json", check=False).stdout)
        }
        return found.keys() if all(found.values()) else None

    assert {"scheduler", "triggerer", "dag-processor", "worker", "airflow", "store"} <= wait(well)


def test_what_runs_has_no_rights_and_writes_nowhere_else(deployment):
    told = "id -u; grep -E 'CapEff|NoNewPrivs' /proc/1/status; touch /opt/gem/x 2>&1 || true"
    uid, *rest = deployment.run("exec", "-T", "worker", "bash", "-c", told).stdout.splitlines()
    assert uid == "50000"
    assert {line.split()[-1] for line in rest[:2]} == {"0000000000000000", "1"}
    assert "Read-only file system" in rest[2]


def test_a_killed_worker_loses_and_doubles_nothing(deployment, published):
    counted = deployment.query(
        "SELECT stage, count(*), count(DISTINCT segment_id), count(*) FILTER (WHERE outcome = 'accepted')"
        " FROM stage_results GROUP BY stage"
    )
    outcomes = {stage: [int(number) for number in numbers] for stage, *numbers in counted}
    ((segments,),) = deployment.query("SELECT count(*) FROM segments")
    assert outcomes["filter"][0] == int(segments)
    first_chance = STAGE_NAMES[: STAGE_NAMES.index("validate") + 1]
    for before, after in pairwise(first_chance):
        assert outcomes[after][0] == outcomes[after][1] == outcomes[before][2], after
    assert deployment.query("SELECT count(*) FROM stage_results WHERE outcome = 'failed'") == [["0"]]
    tries = deployment.query("SELECT max(try_number) FROM task_instance WHERE task_id = 'generate.run'", "airflow")
    assert int(tries[0][0]) > 1, "nobody had to take up what the killed worker was doing"
    accepted = outcomes["validate"][2] + outcomes.get("revalidate", [0, 0, 0])[2]
    assert published["dataset"]["trajectories"] == accepted >= 8


def test_the_published_parquet_is_what_the_lineage_says(deployment, published):
    read = json.loads(deployment.python(READ.replace("{version}", published["dataset"]["version"])))
    known = deployment.query("SELECT trajectory_id, messages FROM trajectories")
    assert len({trajectory for trajectory, _ in read}) == len(read)
    assert sorted(read) == sorted([trajectory, int(messages)] for trajectory, messages in known)


def test_stopped_and_started_again_it_has_everything_and_asks_nothing(deployment, published):
    before = deployment.query(CALLS)
    deployment.stop()
    deployment.answer("rate_500=1")  # a call would fail
    deployment.start()
    again = json.loads(deployment.gem("run", "s3://gem/raw", "--json").stdout)
    assert again["synthesize_run"] is None
    assert deployment.query(CALLS) == before
    read = json.loads(deployment.python(READ.replace("{version}", published["dataset"]["version"])))
    assert len(read) == published["dataset"]["trajectories"]


def test_a_service_that_cannot_live_is_seen_and_named(deployment):
    own = ("run", "--rm", "-T", "--no-deps", "--user", "0", "--cap-add", "CHOWN", "--entrypoint", "chown", "gem")
    deployment.run(*own, "-R", "0:0", "/var/lib/airflow/logs")
    deployment.run("run", "--rm", "-T", "--no-deps", "--user", "0", "--entrypoint", "chmod", "gem", "755",
                   "/var/lib/airflow/logs", "/var/lib/airflow/logs/dag_processor")  # fmt: skip
    deployment.run("restart", "--timeout", "5", "dag-processor")

    def named():
        found = deployment.gem("doctor", "--json", check=False)
        return {each["name"] for each in json.loads(found.stdout) if not each["ok"]}

    wait(lambda: "dag-processor" in named(), 600)
    again = deployment.run("run", "--rm", "-T", "--no-deps", "init", check=False)
    assert "/var/lib/airflow/logs cannot be written by user 50000" in again.stderr + again.stdout
