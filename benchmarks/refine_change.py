"""A changed refine prompt over several past partitions, through Airflow's own backfill.

    python benchmarks/refine_change.py CORPUS.jsonl.gz [--partitions 4] [--documents 60]

Ingests and synthesises the partitions of consecutive past hours, stores another refine prompt, and runs `gem backfill`
with it. Prints, as JSON: the calls of the backfill over those that a full rerun would make (equal to refine's and the
judge's share, exactly, or the script fails), whether `gem stale` had foretold them, and how long the stages that had
nothing to do took, beside what they took the first time.
"""

import argparse
import gzip
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg

from gem_tasks.local.airflow_api import AirflowAPI
from gem_tasks.settings import load

GEM = Path(sys.executable).with_name("gem")
CALLS = "SELECT stage, sum(calls)::int FROM stage_results GROUP BY stage"
SKIPPED = """
    SELECT a.run_id LIKE 'backfill%%' AS again,
           extract(epoch FROM g.decided_at - a.taken_at)::float AS upstream_s
    FROM announcements a JOIN gate_decisions g ON g.airflow_run_id = a.taken_by AND g.stage = 'generate'
"""


def gem(*arguments):
    done = subprocess.run([GEM, *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"gem {' '.join(arguments)}: {done.stdout[-500:]}{done.stderr[-2000:]}")
    return done.stdout


def parts(corpus, folder, partitions, documents):
    """One file of records per partition."""
    read = gzip.open if corpus.suffix == ".gz" else open
    with read(corpus, "rt", encoding="utf-8") as lines:
        for number in range(partitions):
            path = folder / f"{number}.jsonl"
            path.write_text("".join(next(lines) for _ in range(documents)), encoding="utf-8")
            yield path


def wait(api, dag, run_id):
    while (state := api.run_state(dag, run_id)) not in ("success", "failed"):
        time.sleep(1)
    if state == "failed":
        sys.exit(f"{dag} {run_id} failed")


def first_time(api, files):
    """Runs ingestion and synthesis of every partition; returns the keys."""
    newest = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=2)
    keys = []
    for number, path in enumerate(files):
        key = (newest - timedelta(hours=number)).strftime("%Y-%m-%dT%H:%M")
        run_id = api.trigger("gem_ingest", key, {"source": str(path)})
        wait(api, "gem_ingest", run_id)
        deadline = time.monotonic() + 120
        while not (started := api.runs_of_partition("gem_synthesize", key)) and time.monotonic() < deadline:
            time.sleep(1)
        wait(api, "gem_synthesize", started[0])
        keys.append(key)
    return sorted(keys)


def median(values):
    return sorted(values)[len(values) // 2]


def measure(corpus, partitions, documents):
    gem("up")
    settings = load()
    with AirflowAPI(settings) as api, tempfile.TemporaryDirectory() as folder:
        started = time.monotonic()
        keys = first_time(api, parts(corpus, Path(folder), partitions, documents))
        first_s = time.monotonic() - started
        with psycopg.connect(settings.database, autocommit=True) as pg:
            first = dict(pg.execute(CALLS).fetchall())
            text = pg.execute("SELECT text FROM prompts WHERE name = 'refine'").fetchone()[0] + "\nBe terse.\n"
            sha256 = hashlib.sha256(text.encode()).hexdigest()
            pg.execute("INSERT INTO prompts (sha256, name, text) VALUES (%s, 'refine', %s)", [sha256, text])
            change = ["--from", keys[0], "--to", keys[-1], "--prompt", f"refine={sha256}"]
            foretold = json.loads(gem("backfill", *change, "--dry-run", "--json"))
            started = time.monotonic()
            gem("backfill", *change, "--max-active", "1", "--json")
            again_s = time.monotonic() - started
            both = dict(pg.execute(CALLS).fetchall())
            spans = pg.execute(SKIPPED).fetchall()
    made = {stage: both[stage] - first[stage] for stage in first}
    full = sum(first[stage] for stage in ("filter", "extract", "generate")) + made["refine"] + made["validate"]
    share = (made["refine"] + made["validate"]) / full
    if sum(made.values()) / full != share:
        sys.exit(f"more was asked than refine and judge: {made}")
    return {
        "partitions": len(keys),
        "calls_first": first,
        "calls_backfill": made,
        "calls_full_rerun": full,
        "ratio": round(sum(made.values()) / full, 4),
        "share_of_refine_and_judge": round(share, 4),
        "foretold_calls": foretold["total"]["calls"],
        "first_s": round(first_s, 1),
        "backfill_s": round(again_s, 1),
        "filter_to_generate_first_s": round(median([s for again, s in spans if not again]), 1),
        "filter_to_generate_skipped_s": round(median([s for again, s in spans if again]), 1),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--partitions", type=int, default=4)
    parser.add_argument("--documents", type=int, default=60)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        os.environ["GEM_HOME"] = home
        os.environ["GEM_NEAR_DUPLICATE"] = "0"
        try:
            print(json.dumps(measure(options.corpus, options.partitions, options.documents), indent=1))
        finally:
            gem("down")


if __name__ == "__main__":
    main()
