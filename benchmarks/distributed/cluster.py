"""The topology of docker-compose.yml as processes of one machine: what can be proven of it without containers.

Redis, PostgreSQL, an S3 server, the teacher, Airflow's four services, and Celery worker *hosts*. Every host has a home
of its own that nobody else may enter, as root also a user of its own, and reaches the others over TCP only: no file is
shared, so whatever a stage needs comes through Postgres and S3.

    python benchmarks/distributed/cluster.py --workers 2 --documents 100     # runs them, prints seconds and outcomes
"""

import argparse
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any, Self

import boto3
import httpx
import psycopg
from pydantic import SecretStr

from gem_tasks.lineage.migrate import migrate
from gem_tasks.local import health
from gem_tasks.local.airflow_api import AirflowAPI
from gem_tasks.local.environment import airflow_env
from gem_tasks.local.postgres import Postgres
from gem_tasks.local.state import SERVICES, State
from gem_tasks.settings import Settings

BUCKET = "gem"
AIRFLOW = ("api-server", "scheduler", "dag-processor", "triggerer")
_BIN = Path(sys.executable).parent
_FIRST_UID = 61_000
_LIMIT_S = 300


def free_port() -> int:
    """A TCP port of the loopback interface."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Cluster:
    """Everything started; a context manager that ends it all.

    Args:
        home: an empty folder for logs and state.
        teacher: options of the offline teacher's faults, `latency_s=0.5`.
        settings: `GEM_*` variables for all services.
    """

    def __init__(self, home: Path, teacher: str = "", settings: dict[str, str] | None = None) -> None:
        self.home = home
        self.state = State(ports={name: free_port() for name in SERVICES})
        self.postgres = Postgres(home / "postgres", self.state.ports["postgres"], SecretStr(secrets.token_urlsafe(16)))
        self.children: dict[str, subprocess.Popen[bytes]] = {}
        self._started: dict[str, tuple[list[str], dict[str, str], int | None]] = {}
        self._s3 = free_port()
        self.fronts = {"s3": self._s3, "teacher": self.state.ports["teacher"]}
        """Ports under which services are asked; a proxy in front of one has another than the service."""
        self.worker_env: dict[str, dict[str, str]] = {}
        """Variables of single workers, by name."""
        self._redis = free_port()
        self._redis_password = secrets.token_urlsafe(16)
        self._teacher = teacher
        self._settings = settings or {}

    def __enter__(self) -> Self:
        """Starts all but the workers."""
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Ends every process."""
        for name in list(self.children):
            self.kill(name, signal.SIGTERM)
        self.postgres.stop()

    @property
    def client_env(self) -> dict[str, str]:
        """What `gem` needs to talk to the cluster, and tasks to do their work."""
        ports = self.state.ports
        return {
            "GEM_HOME": str(self.home / "client"),
            "GEM_POSTGRES_DSN": self.postgres.dsn("gem"),
            "GEM_STORE_URL": f"s3://{BUCKET}/store",
            "GEM_LLM_BASE_URL": f"http://127.0.0.1:{self.fronts['teacher']}/v1",
            "GEM_AIRFLOW_URL": f"http://127.0.0.1:{ports['airflow']}",
            "GEM_AIRFLOW_PASSWORD": self.state.admin_password,
            **self.s3_env,
            **self._settings,
        }

    @property
    def s3_env(self) -> dict[str, str]:
        """Where the bucket is."""
        return {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.fronts['s3']}",
            "AWS_ACCESS_KEY_ID": "gem",
            "AWS_SECRET_ACCESS_KEY": "gem-secret-key",
            "AWS_REGION": "us-east-1",
        }

    def query(self, sql: Any, *values: object) -> list[tuple[Any, ...]]:
        """Rows from the lineage."""
        with psycopg.connect(self.postgres.dsn("gem")) as connection:
            return connection.execute(sql, values).fetchall()

    def upload(self, name: str, data: bytes) -> str:
        """Puts a document into the bucket; returns the source to read."""
        self.s3().put_object(Bucket=BUCKET, Key=f"raw/{name}", Body=data)
        return f"s3://{BUCKET}/raw"

    def s3(self) -> Any:
        """A client of the S3 server."""
        env = self.s3_env
        return boto3.client(
            "s3",
            endpoint_url=env["AWS_ENDPOINT_URL"],
            aws_access_key_id=env["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=env["AWS_SECRET_ACCESS_KEY"],
            region_name=env["AWS_REGION"],
        )

    def gem(self, *arguments: str) -> subprocess.Popen[str]:
        """Starts `gem …` as a person at another machine would."""
        (self.home / "client").mkdir(exist_ok=True)
        command = [str(_BIN / "gem"), *arguments]
        env = {**_bare_env(), **self.client_env}
        return subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def add_worker(self, name: str, slots: int = 4) -> None:
        """Starts one Celery host, with a home and (as root) a user that no other has."""
        number = len([child for child in self.children if child.startswith("worker")])
        home = self.home / name
        home.mkdir(mode=0o700)
        log_port = free_port()
        env = {
            **_bare_env(),
            **self._airflow_env(home),
            "HOME": str(home),
            "GEM_HOME": str(home / "gem"),
            "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(log_port),
            **self.worker_env.get(name, {}),
        }
        user = _FIRST_UID + number if os.geteuid() == 0 else None
        if user:
            for path in (home, *home.rglob("*")):
                os.chown(path, user, user)
            env |= {"USER": f"gem{number}", "LOGNAME": f"gem{number}"}
        command = [str(_BIN / "airflow"), "celery", "worker", "-H", f"{name}@localhost", "--concurrency", str(slots)]
        self._spawn(name, [*command, "--without-mingle", "--without-gossip"], env, user=user)
        log = self.home / "logs" / f"{name}.log"
        self._wait(lambda: None if b"ready." in log.read_bytes() else "not ready", name)

    def restart(self, name: str) -> None:
        """Starts again, in the same home, what was killed."""
        command, env, user = self._started[name]
        self._spawn(name, command, env, user)

    def revive(self) -> list[str]:
        """Starts again what has ended by itself, as `restart: always` does in docker-compose.yml; returns the names."""
        ended = [name for name, child in self.children.items() if child.poll() is not None]
        for name in ended:
            self.restart(name)
        return ended

    def kill(self, name: str, number: int = signal.SIGKILL) -> None:
        """Ends a service or a whole worker host, with all its processes."""
        child = self.children.pop(name)
        with suppress(ProcessLookupError):
            os.killpg(child.pid, number)
        try:
            child.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()

    def _start(self) -> None:
        (self.home / "logs").mkdir(parents=True, exist_ok=True)
        self.home.chmod(0o755)
        self.postgres.start()
        for database in ("gem", "airflow"):
            self.postgres.create_database(database)
        redis = ["redis-server", "--port", str(self._redis), "--bind", "127.0.0.1", "--save", "", "--requirepass"]
        self._spawn("redis", [*redis, self._redis_password], _bare_env())
        moto = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self._s3)]
        self._spawn("s3", moto, _bare_env())
        teacher = [sys.executable, "-m", "offline_teacher", "--port", str(self.state.ports["teacher"])]
        self._spawn("teacher", [*teacher, *(["--faults", self._teacher] if self._teacher else [])], _bare_env())
        migrate(self.postgres.dsn("gem"))
        home = self.home / "airflow"
        home.mkdir()
        env = {**_bare_env(), **self._airflow_env(home), "GEM_HOME": str(home / "gem")}
        subprocess.run([_BIN / "airflow", "db", "migrate"], env=env, check=True, capture_output=True)
        for name in AIRFLOW:
            self._spawn(name, [str(_BIN / "airflow"), name], env)
        self._wait(self._s3_fault, "s3")
        self.s3().create_bucket(Bucket=BUCKET)
        self._wait(lambda: health.teacher(self.state.ports["teacher"]), "teacher")
        self._wait(self._airflow_fault, "airflow")
        with AirflowAPI(self.settings()) as api:
            api.ensure_pool("gem_llm", 16, "Tasks that call the LLM endpoint at the same time")
            api.wait_for_dags(("gem_ingest", "gem_synthesize"), time.monotonic() + _LIMIT_S)

    def settings(self) -> Settings:
        """The client's settings."""
        names = Settings.model_fields
        values = {name: self.client_env[key] for name in names if (key := f"GEM_{name.upper()}") in self.client_env}
        return Settings(**values)  # pyright: ignore[reportArgumentType]

    def _airflow_env(self, home: Path) -> dict[str, str]:
        """The embedded environment with what docker-compose.yml has instead."""
        env = airflow_env(home, self.state, self.postgres.dsn("airflow"))
        database = env["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"]
        return {
            **env,
            **self.client_env,
            "AIRFLOW__CORE__EXECUTOR": "CeleryExecutor",
            "AIRFLOW__CELERY__BROKER_URL": f"redis://:{self._redis_password}@127.0.0.1:{self._redis}/0",
            "AIRFLOW__CELERY__RESULT_BACKEND": f"db+{database}",
            "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        }

    def _spawn(self, name: str, command: list[str], env: dict[str, str], user: int | None = None) -> None:
        self._started[name] = (command, env, user)
        with (self.home / "logs" / f"{name}.log").open("ab") as log:
            self.children[name] = subprocess.Popen(
                command,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                user=user,
                group=user,
                extra_groups=[] if user else None,
                cwd=env.get("HOME", "/") if user else "/",
            )

    def _wait(self, fault: Any, name: str) -> None:
        deadline = time.monotonic() + _LIMIT_S
        while why := fault():
            log = self.home / "logs" / f"{name}.log"
            tail = log.read_text(errors="replace")[-2000:] if log.exists() else ""
            ended = name in self.children and self.children[name].poll() is not None
            if ended or time.monotonic() > deadline:
                raise TimeoutError(f"{name}: {why}\n{tail}")
            time.sleep(0.3)

    def _s3_fault(self) -> str | None:
        try:
            httpx.get(self.s3_env["AWS_ENDPOINT_URL"], timeout=2)
        except httpx.HTTPError as error:
            return str(error)
        return None

    def _airflow_fault(self) -> str | None:
        faults = health.airflow(self.client_env["GEM_AIRFLOW_URL"])
        return next((f"{name}: {why}" for name, why in faults.items() if why), None)


def _bare_env() -> dict[str, str]:
    """This process's environment without anything of GEM, Airflow or AWS."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("GEM_", "AIRFLOW", "AWS_"))}


def main() -> None:
    """Runs documents over the cluster and prints what came of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--slots", type=int, default=4, help="tasks at once per worker")
    parser.add_argument("--documents", type=int, default=100)
    parser.add_argument("--shard", type=int, default=8, help="segments per shard")
    parser.add_argument("--teacher", default="latency_s=0.5", help="faults of the offline teacher")
    parser.add_argument("--concurrency", type=int, default=4, help="requests in flight per task")
    options = parser.parse_args()
    text = (Path(__file__).parents[2] / "examples/corpus/library-loans.txt").read_bytes()
    copies = {
        "GEM_NEAR_DUPLICATE": "0",
        "GEM_SHARD_SEGMENTS": str(options.shard),
        "GEM_LLM_CONCURRENCY": str(options.concurrency),
        "AIRFLOW__CORE__PARALLELISM": str(options.workers * options.slots),  # the embedded environment has four
    }
    with tempfile.TemporaryDirectory(prefix="gem-cluster-") as folder:
        home = Path(folder)
        home.chmod(0o755)
        gates = home / "gates.toml"
        gates.write_text("[default]\n", encoding="utf-8")
        with Cluster(home / "c", options.teacher, {**copies, "GEM_GATES": str(gates)}) as cluster:
            for number in range(options.workers):
                cluster.add_worker(f"worker{number}", options.slots)
            for number in range(options.documents):
                source = cluster.upload(f"{number:05d}.txt", f"Branch {number}\n\n".encode() + text)
            began = time.monotonic()
            run = cluster.gem("run", source, "--json")
            out, err = run.communicate()
            seconds = time.monotonic() - began
            sys.stderr.write(err[-500:] if run.returncode else "")
            outcomes = cluster.query("SELECT stage, outcome, count(*) FROM stage_results GROUP BY 1, 2 ORDER BY 1, 2")
            summary = json.loads(out) if run.returncode == 0 else None
            print(json.dumps({"workers": options.workers, "seconds": round(seconds, 1), "outcomes": outcomes}))
            if summary:
                for row in at_work(cluster, summary["partition"]):
                    print(json.dumps(row))


def at_work(cluster: Cluster, partition: str) -> Iterator[dict[str, Any]]:
    """Of each stage: seconds from its first task's start to its last one's end, and how many tasks each host took."""
    with AirflowAPI(cluster.settings()) as api:
        (run,) = api.runs_of_partition("gem_synthesize", partition)[:1]
        tasks = [each for each in api.tasks("gem_synthesize", run) if each["task_id"].endswith(".run")]
    for stage in sorted({each["task_id"] for each in tasks}, key=lambda name: min(_starts(tasks, name))):
        own = [each for each in tasks if each["task_id"] == stage]
        ends = [datetime.fromisoformat(each["end_date"]) for each in own]
        hosts = Counter(each["hostname"] for each in own)
        spread = [round((start - min(_starts(tasks, stage))).total_seconds(), 1) for start in _starts(tasks, stage)]
        yield {
            "stage": stage, "seconds": round((max(ends) - min(_starts(tasks, stage))).total_seconds(), 1),
            "tasks": sorted(hosts.values()), "started_after_s": sorted(spread),
            "mean_task_s": round(sum(each["duration"] for each in own) / len(own), 1),
        }  # fmt: skip


def _starts(tasks: list[dict[str, Any]], stage: str) -> list[datetime]:
    return [datetime.fromisoformat(each["start_date"]) for each in tasks if each["task_id"] == stage]


if __name__ == "__main__":
    main()
