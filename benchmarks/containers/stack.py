"""docker-compose.yml with several workers in real containers, and one run through them that drills can hurt.

Compose's command and files come from the variables of `tests.e2e.compose`. Faults signal processes of containers from
the host, because an engine does not restart what `docker kill` ended; so all drills need root on the engine's host.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.e2e.compose import ROOT, Deployment

PARTITION = "2026-01-01T00:00"
RAW = "s3://gem/raw"
CHECK = "/opt/check/benchmarks/distributed/invariants.py"
TRIGGER = """
from gem_tasks.local.airflow_api import AirflowAPI
from gem_tasks.settings import load
with AirflowAPI(load()) as api:
    api.trigger({dag!r}, {partition!r}, {conf!r})
"""
UPLOAD = """
import boto3, sys
boto3.client("s3").put_object(Bucket="gem", Key="raw/" + {name!r}, Body=sys.stdin.buffer.read())
"""
COLLECT = """
import os, sys, boto3, pathlib
sys.path.insert(0, "/opt/check/benchmarks/distributed")
import invariants
invariants.collect(os.environ["GEM_POSTGRES_DSN"], boto3.client("s3"), "gem", pathlib.Path("/opt/out"), "")
"""
STATES = "SELECT dag_id, run_id, state FROM dag_run WHERE dag_id IN ('gem_ingest', 'gem_synthesize') ORDER BY id"
CURRENT = f"SELECT version FROM datasets WHERE superseded_by IS NULL AND partition_key = '{PARTITION}'"
RETRIED = "SELECT count(*) FROM task_instance WHERE try_number > 1"
# A teacher that comes back, and workers whose disk can be full and whose clock can be wrong, while the host's are not.
HURT = """
services:
  teacher: {{restart: unless-stopped}}
  worker:
    command: [celery, worker, --concurrency, "2", --skip-serve-logs]
    tmpfs: [/tmp, "/var/lib/airflow:uid=50000,gid=0,mode=0775", "/var/lib/gem:size=300m,uid=50000,gid=0,mode=0775"]
    volumes: !override ["logs:/var/lib/airflow/logs", "{skew}:/opt/skew.so:ro"]
    environment: {{LD_PRELOAD: /opt/skew.so}}
"""


class Stack(Deployment):
    """A deployment under load.

    Args:
        folder: where its files lie.
        settings: variables for all of Airflow's services.
        more: another compose file, as text.
    """

    def __init__(self, folder: Path, settings: dict[str, str], more: str = "") -> None:
        super().__init__(folder, settings)
        if more:
            (folder / "more.yml").write_text(more, encoding="utf-8")
            self.command += ["--file", str(folder / "more.yml")]

    def psql(self, sql: str, database: str = "gem") -> list[list[str]]:
        """Rows as text.

        Raises:
            OSError: it does not answer.
        """
        psql = ("psql", "-U", "gem", "-d", database, "-h", "/var/run/postgresql", "-At", "-F", "\t", "-c", sql)
        done = self.run("exec", "-T", "postgres", *psql, check=False)
        if done.returncode:
            raise OSError(done.stderr.strip()[-200:])
        return [line.split("\t") for line in done.stdout.splitlines()]

    def containers(self, service: str) -> list[str]:
        """Ids of its running containers."""
        return self.run("ps", "--quiet", "--status", "running", service).stdout.split()

    def upload(self, corpus: Path) -> None:
        """Puts a file into the bucket, as a source."""
        command = [*self.command, "exec", "-T", "worker", "python", "-c", UPLOAD.format(name=corpus.name)]
        with corpus.open("rb") as body:
            subprocess.run(command, cwd=ROOT, stdin=body, check=True, capture_output=True)

    def tool(self, *command: str, folder: Path | None = None, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Runs a program in the image, beside the services, with the variables and rights of `gem`."""
        mounts = ["--volume", f"{ROOT / 'benchmarks'}:/opt/check/benchmarks:ro"]
        if folder:
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(0o777)
            mounts += ["--volume", f"{folder}:/opt/out"]
        return self.run(
            "run", "--rm", "-T", "--no-deps", *mounts, "--entrypoint", "/entrypoint", "gem", *command, check=check
        )

    def trigger(self, dag: str, conf: dict[str, str]) -> None:
        """Starts a run of the drill's partition."""
        self.tool("python", "-c", TRIGGER.format(dag=dag, partition=PARTITION, conf=conf))

    def invariants(self) -> dict[str, object]:
        """What the chaos benchmark checks, read from inside the network without GEM's code."""
        found = self.tool("bash", "-c", f'python {CHECK} "$GEM_POSTGRES_DSN" "$GEM_STORE_URL"', check=False)
        assert found.stdout, found.stderr[-2000:]
        return json.loads(found.stdout)

    def collect(self, out: Path) -> None:
        """Copies the current datasets."""
        self.tool("python", "-c", COLLECT, folder=out)


@contextmanager
def stack(settings: dict[str, str], teacher: str, workers: int, more: str = "") -> Generator[Stack]:
    """Up with that number of workers, and removed at the end."""
    with tempfile.TemporaryDirectory(prefix="gem-drill-") as folder:
        found = Stack(Path(folder), {"GEM_NEAR_DUPLICATE": "0", "GEM_MAX_WORKFLOWS": "1", **settings}, more)
        found.answer(teacher)
        os.environ["WORKERS"] = str(workers)
        try:
            found.start()
            yield found
        finally:
            found.remove()


def drive(deployed: Stack, patience_s: float = 3000) -> dict[str, object]:
    """Waits until the partition is published; starts failed runs again, as an operator would, and counts that.

    Raises:
        SystemExit: nothing is published in time.
    """
    began, by_hand, seen = time.monotonic(), Counter(), set()
    while time.monotonic() - began < patience_s:
        time.sleep(3)
        with suppress(OSError):
            runs = deployed.psql(STATES, "airflow")
            if any(state in ("queued", "running") for *_, state in runs):
                continue
            if deployed.psql(CURRENT):
                return {"seconds": round(time.monotonic() - began), "runs_started_by_hand": dict(by_hand),
                        "tasks_retried": int(deployed.psql(RETRIED, "airflow")[0][0])}  # fmt: skip
            failed = [dag for dag, run, state in runs if state == "failed" and run not in seen]
            seen.update(run for _, run, _ in runs)
            if failed:
                by_hand[failed[-1]] += 1
                deployed.trigger(failed[-1], {"source": RAW} if failed[-1] == "gem_ingest" else {})
    print(deployed.state(), file=sys.stderr)
    sys.exit("not published in time")
