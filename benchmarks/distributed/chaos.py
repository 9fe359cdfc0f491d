"""A long run over two Celery hosts while everything that can break is broken, and the same run undisturbed.

    python -m benchmarks.distributed.chaos CORPUS.jsonl[.gz] --faults 200 --out /tmp/chaos

Both runs have the same partition, so what they publish has to be the same bytes. Faults come at random moments: kill -9
of worker hosts, scheduler, triggerer, API server, DAG processor and teacher; Postgres ends without a checkpoint; S3
answers 5xx, keeps silent, or breaks connections; a worker's disk is full; a worker's clock jumps (with libfaketime).
When a run fails because its tasks have used up their retries, it is started again, as an operator would.
`benchmarks.distributed.invariants` then looks at store and database. Prints JSON; needs root for disk and clock.
"""

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import ExitStack, suppress
from pathlib import Path

from benchmarks.distributed import invariants
from benchmarks.distributed.cluster import BUCKET, Cluster
from benchmarks.distributed.proxy import Proxy
from gem_tasks.errors import GemError
from gem_tasks.local.airflow_api import AirflowAPI

PARTITION = "2026-01-01T00:00"
WORKERS = ("worker0", "worker1")
SLOTS, CONCURRENCY, PATIENCE = 3, 8, 60
FAKETIME = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1")
WEIGHTS = {
    "worker": 50, "scheduler": 12, "triggerer": 8, "api-server": 12, "dag-processor": 4, "teacher": 16, "postgres": 14,
    "s3 503": 20, "s3 500": 12, "s3 hang": 14, "s3 reset": 14, "disk": 12, "clock": 12,
}  # fmt: skip
TEACHER = "latency_s=0.05&rate_429=0.01&rate_503=0.01&rate_reset=0.005&seed=7"


def main():
    """Both runs, and what they leave."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--faults", type=int, default=200)
    parser.add_argument("--every", type=float, default=8, help="seconds between faults, on average")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    found = {}
    for name in ("undisturbed", "disturbed"):
        with tempfile.TemporaryDirectory(prefix="gem-chaos-") as folder:
            Path(folder).chmod(0o755)
            found[name] = one(Path(folder), options, options.out / name, disturbed=name == "disturbed")
        print(json.dumps({name: found[name]}), flush=True)
    differing = invariants.compare(options.out / "undisturbed", options.out / "disturbed")
    billed = {name: found[name]["billed"] for name in found}
    result = {**found, "billed": billed, "datasets_differ": differing}
    (options.out / "result.json").write_text(json.dumps(result, indent=1))
    print(json.dumps({"datasets_differ": differing, "billed": billed}))
    if differing or any(run["broken"] for run in found.values()):
        sys.exit("an invariant is broken")


def one(home, options, out, *, disturbed):
    """A run from nothing to a published dataset; what the store and the database have then is copied to `out`."""
    gates = home / "gates.toml"
    gates.write_text("[default]\n", encoding="utf-8")
    settings = {
        "GEM_NEAR_DUPLICATE": "0",
        "GEM_GATES": str(gates),
        "GEM_LLM_CONCURRENCY": str(CONCURRENCY),
        "GEM_SHARD_SEGMENTS": "100",
        # No more tasks than slots, so that none waits in Redis for good reason: what a killed host had fetched and not
        # begun is then found missing after a minute instead of ten.
        "AIRFLOW__CORE__PARALLELISM": str(SLOTS * len(WORKERS)),
        "AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT": "60",
        "AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT_CHECK_INTERVAL": "15",
    }
    cluster = Cluster(home / "c", TEACHER, settings)
    with ExitStack() as stack:
        s3 = stack.enter_context(Proxy(cluster.fronts["s3"]))
        teacher = stack.enter_context(Proxy(cluster.fronts["teacher"]))
        cluster.fronts = {"s3": s3.port, "teacher": teacher.port}
        stack.enter_context(cluster)
        for name in WORKERS:
            stack.callback(prepare(cluster, name, faketime=disturbed))
            cluster.add_worker(name, SLOTS)
        source = cluster.upload("corpus" + "".join(options.corpus.suffixes), options.corpus.read_bytes())
        began = time.monotonic()
        injector = Injector(cluster, s3, options) if disturbed else None
        runs = drive(cluster, source, injector)
        seconds = time.monotonic() - began
        faults = dict(injector.stop()) if injector else {}
        invariants.collect(cluster.postgres.dsn("gem"), cluster.s3(), BUCKET, out)
        return {
            "seconds": round(seconds),
            "faults": faults,
            "runs_started": runs,
            "billed": teacher.seen["POST 200"],
            **invariants.check(cluster.postgres.dsn("gem"), cluster.s3(), BUCKET),
        }


def prepare(cluster, name, *, faketime):
    """A small disk and a clock of its own for a worker's home, where there can be such; returns how to undo it."""
    cluster.worker_env[name] = {}
    if faketime and FAKETIME.exists():
        clock = cluster.home / f"{name}.clock"
        cluster.home.mkdir(parents=True, exist_ok=True)
        clock.write_text("+0")
        clock.chmod(0o644)
        cluster.worker_env[name] = {
            "LD_PRELOAD": str(FAKETIME),
            "FAKETIME_TIMESTAMP_FILE": str(clock),
            "FAKETIME_NO_CACHE": "1",
            "DONT_FAKE_MONOTONIC": "1",
        }
    folder = cluster.home / f"{name}.disk"
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200m,mode=777", "tmpfs", folder], check=True)
    cluster.worker_env[name]["GEM_HOME"] = str(folder)
    return lambda: subprocess.run(["umount", "-l", folder], check=False)


def drive(cluster, source, injector):
    """Starts what has to run until the partition is published; returns how many runs it took."""
    runs = Counter()
    with suppress(StopIteration):
        while True:
            for name in injector.revive() if injector else ():
                runs[f"{name} ended by itself"] += 1
            try:
                step(cluster, source, runs, injector)
            except (GemError, OSError, KeyError) as error:  # Airflow or Postgres are away; so would a person try again
                print(f"# {str(error)[:160]}", file=sys.stderr, flush=True)
            time.sleep(2)
    return dict(runs)


def step(cluster, source, runs, injector):
    """One look at Airflow: starts a run where none is under way; ends by StopIteration when all is published."""
    with AirflowAPI(cluster.settings()) as api:
        if not runs["gem_ingest"]:
            api.trigger("gem_ingest", PARTITION, {"source": source})
            runs["gem_ingest"] += 1
            if injector:
                injector.start()
            return
        states = {dag: [api.run_state(dag, run) for run in api.runs_of_partition(dag, PARTITION)] for dag in DAGS}
    if any(state in ("queued", "running") for dag in DAGS for state in states[dag]):
        return
    if "success" not in states["gem_ingest"]:
        start(cluster, "gem_ingest", {"source": source}, runs)
    elif invariants.published(cluster.postgres.dsn("gem"), PARTITION):
        raise StopIteration
    elif states["gem_synthesize"]:
        start(cluster, "gem_synthesize", {}, runs)
    else:
        runs["looks without a synthesis"] += 1
        if runs["looks without a synthesis"] > PATIENCE:
            sys.exit("the ingestion started no synthesis")


DAGS = ("gem_ingest", "gem_synthesize")


def start(cluster, dag, conf, runs):
    with AirflowAPI(cluster.settings()) as api:
        api.trigger(dag, PARTITION, conf)
    runs[dag] += 1


class Injector:
    """Breaks something every few seconds until it has broken enough, and fixes it."""

    def __init__(self, cluster, s3, options):
        self.cluster, self.s3, self.options = cluster, s3, options
        self.random, self.done, self.over = random.Random(options.seed), Counter(), threading.Event()
        kinds = {name: weight for name, weight in WEIGHTS.items() if name != "clock" or FAKETIME.exists()}
        self.plan = self.random.choices(list(kinds), weights=list(kinds.values()), k=options.faults)
        self.thread, self.lock = threading.Thread(target=self.run, daemon=True), threading.Lock()

    def start(self):
        self.thread.start()

    def revive(self):
        with self.lock:  # what is being killed is not dead by itself
            return self.cluster.revive()

    def stop(self):
        self.over.set()
        self.thread.join(120)
        return self.done

    def run(self):
        for kind in self.plan:
            if self.over.wait(self.random.expovariate(1 / self.options.every)):
                return
            try:
                self.fault(kind)
                self.done[kind] += 1
            except Exception as error:  # noqa: BLE001 - the run goes on; what was not done is not counted
                print(f"# {kind} could not be done: {error!r}"[:300], file=sys.stderr, flush=True)

    def fault(self, kind):
        worker = self.random.choice(WORKERS)
        if kind.startswith("s3 "):
            self.s3.misbehave(kind[3:], self.random.uniform(1, 8))
        elif kind == "postgres":
            os.kill(self.cluster.postgres.pid, signal.SIGKILL)
            self.cluster.postgres.start()
        elif kind == "disk":
            self.fill_disk(worker)
        elif kind == "clock":
            self.jump(worker)
        else:
            name = worker if kind == "worker" else kind
            with self.lock:
                self.cluster.kill(name)
                self.cluster.restart(name)

    def fill_disk(self, worker):
        path = self.cluster.home / f"{worker}.disk" / "filler"
        with suppress(OSError), path.open("wb") as file:
            while True:
                file.write(bytes(2**20))
        time.sleep(self.random.uniform(2, 6))
        path.unlink()

    def jump(self, worker):
        clock = self.cluster.home / f"{worker}.clock"
        clock.write_text(self.random.choice(("-3600", "+3600", "-90", "+90")))
        time.sleep(self.random.uniform(2, 8))
        clock.write_text("+0")


if __name__ == "__main__":
    if os.geteuid() or not shutil.which("redis-server"):
        sys.exit("needs root (for a small disk) and redis-server")
    main()
