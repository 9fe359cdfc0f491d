"""What Airflow adds: the same corpus through `gem run` (Airflow) and `gem synth` (one process), and by task.

    python benchmarks/airflow_overhead.py CORPUS [--runs 3]

Each run has a GEM_HOME of its own and starts from nothing; Airflow is up before the clock starts, while `gem synth`
starts Postgres and the teacher within its time, some two seconds. Airflow works on several shards at once, so it can be
faster than one process.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from gem_tasks.local.airflow_api import AirflowAPI
from gem_tasks.settings import Settings

GEM = Path(sys.executable).with_name("gem")


def gem(home, *arguments):
    """`(seconds, output)` of a command."""
    env = {**os.environ, "GEM_HOME": home}
    began = time.monotonic()
    done = subprocess.run([GEM, *arguments], env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"gem {arguments} failed: {done.stderr[-1000:]}")
    return time.monotonic() - began, done.stdout


def through_airflow(corpus):
    """Seconds, number of tasks, seconds within stage tasks, their number, and the summary, of a run from nothing.

    Also the seconds within tasks of a second run, which finds nothing new, and their number.
    """
    with tempfile.TemporaryDirectory() as home:
        Path(home).chmod(0o755)  # Postgres, which is not root, has to get there
        try:
            gem(home, "up")
            seconds, out = gem(home, "run", corpus, "--json")
            summary = json.loads(out)
            with AirflowAPI(Settings(_env_file=Path(home) / "services.env")) as api:
                (run,) = api.runs_of_partition("gem_synthesize", summary["partition"])[:1]
                tasks = [task for task in api.tasks("gem_synthesize", run) if task["duration"] is not None]
                again = json.loads(gem(home, "run", corpus, "--json")[1])
                (run,) = api.runs_of_partition("gem_ingest", again["partition"])[:1]
                idle = [task["duration"] for task in api.tasks("gem_ingest", run) if task["duration"] is not None]
        finally:
            gem(home, "down")
    stages = [task["duration"] for task in tasks if task["task_id"].endswith(".run")]
    return seconds, len(tasks), sum(stages), len(stages), summary, (sum(idle), len(idle))


def in_one_process(corpus):
    """Seconds of the same without Airflow."""
    with tempfile.TemporaryDirectory() as home:
        Path(home).chmod(0o755)
        try:
            seconds, _ = gem(home, "synth", corpus, "--out", f"{home}/out", "--yes", "--json")
        finally:
            gem(home, "down")
    return seconds


def main():
    """Both, in turn."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus")
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    airflow, process = [], []
    for _ in range(options.runs):
        seconds, tasks, in_tasks, stage_tasks, summary, (idle_s, idle_tasks) = through_airflow(options.corpus)
        airflow.append(seconds)
        process.append(in_one_process(options.corpus))
        print(json.dumps({
            "airflow_s": round(seconds, 1), "one_process_s": round(process[-1], 1), "tasks": tasks,
            "stage_tasks": stage_tasks, "mean_stage_task_s": round(in_tasks / stage_tasks, 2),
            "segments": summary["segments"], "nothing_new_s": round(idle_s, 1), "nothing_new_tasks": idle_tasks,
        }), flush=True)  # fmt: skip
    print(json.dumps({"ratio": round(median(airflow) / median(process), 3)}))


if __name__ == "__main__":
    main()
