"""Wall time and peak memory of the main job through Airflow: from nothing, and again with nothing new.

    python benchmarks/main_job.py SOURCE [--limit N] [--runs 3]

Every run gets a GEM_HOME of its own. Peak memory is the largest resident size of any one process of GEM (Airflow's
included), sampled twice a second. Prints a line per run and the medians.
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

import psutil

from gem_tasks.local import processes

GEM = Path(sys.executable).with_name("gem")


def timed(arguments, env):
    """`(seconds, largest process in MB, parsed summary)` of a gem command."""
    peak, started = 0, time.monotonic()
    with subprocess.Popen([GEM, *arguments], env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        while process.poll() is None:
            for other in [*processes.ours(Path(env["GEM_HOME"])), psutil.Process(process.pid)]:
                try:
                    peak = max(peak, other.memory_info().rss)
                except psutil.Error:
                    continue
            time.sleep(0.5)
        output = process.stdout.read()
    if process.returncode:
        sys.exit(f"gem {arguments} failed")
    return time.monotonic() - started, peak / 2**20, json.loads(output) if output.strip().startswith(b"{") else None


def one(source, limit):
    """A run from nothing, and one with nothing new."""
    with tempfile.TemporaryDirectory() as folder:
        env = {**os.environ, "GEM_HOME": folder}
        command = ["run", source, "--json", *(["--limit", str(limit)] if limit else [])]
        try:
            up, _, _ = timed(["up"], env)
            first, peak, summary = timed(command, env)
            again, _, second = timed(command, env)
        finally:
            subprocess.run([GEM, "down"], env=env, check=False)
    validate = next(stage for stage in summary["stages"] if stage["stage"] == "validate")
    tried = validate["accepted"] + validate["rejected"] + validate["failed"]
    return {
        "up_s": round(up, 1),
        "run_s": round(first, 1),
        "peak_mb": round(peak),
        "again_s": round(again, 1),
        "calls_again": sum(stage["calls"] for stage in second["stages"]),
        "trajectories": summary["dataset"]["trajectories"],
        "passed_share": round(validate["accepted"] / tried, 3),
        "means": summary["dataset"]["manifest"]["means"],
    }


def main():
    """Prints the runs and their medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source")
    parser.add_argument("--limit", type=int)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    runs = []
    for _ in range(options.runs):
        runs.append(one(options.source, options.limit))
        print(json.dumps(runs[-1]))
    numbers = [name for name, value in runs[0].items() if isinstance(value, int | float)]
    print("median", json.dumps({name: median(run[name] for run in runs) for name in numbers}))


if __name__ == "__main__":
    main()
