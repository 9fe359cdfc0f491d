"""Backup while a run is under way, and restore of both databases and the bucket into a fresh project.

    python -m benchmarks.containers.restore CORPUS.jsonl --out /tmp/backup

The steps are those of docs/operations.md. The restored deployment finishes the run without asking again for what was
answered before the backup. `benchmarks.distributed.invariants` then reads store and database. Prints JSON; exits with 1
if anything does not hold.
"""

import argparse
import json
import shutil
import subprocess
import sys
from pathlib import Path

from benchmarks.containers.stack import RAW, Stack, drive, stack
from tests.e2e.compose import ROOT, wait

DOWNLOAD = """
import boto3, pathlib
s3, top = boto3.client("s3"), pathlib.Path("/opt/out/bucket")
for page in s3.get_paginator("list_objects_v2").paginate(Bucket="gem"):
    for each in page.get("Contents", ()):
        path = top / each["Key"]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(s3.get_object(Bucket="gem", Key=each["Key"])["Body"].read())
"""
UPLOAD = """
import boto3, pathlib
s3, top = boto3.client("s3"), pathlib.Path("/opt/out/bucket")
s3.create_bucket(Bucket="gem")
for path in top.rglob("*"):
    if path.is_file():
        s3.put_object(Bucket="gem", Key=path.relative_to(top).as_posix(), Body=path.read_bytes())
"""
RESULTS = "SELECT count(*), coalesce(sum(calls), 0) FROM stage_results"
SETTINGS = {"GEM_SHARD_SEGMENTS": "20", "GEM_LLM_CONCURRENCY": "4", "GEM_LLM_SLOTS": "8"}


def main() -> None:
    """Backup, restore, the rest of the run, and what it leaves."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--teacher", default="latency_s=1")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    shutil.rmtree(options.out, ignore_errors=True)
    with stack(SETTINGS, options.teacher, options.workers) as deployed:
        deployed.upload(options.corpus)
        deployed.trigger("gem_ingest", {"source": RAW, "license": "CC0-1.0"})
        wait(lambda: int(deployed.psql(RESULTS)[0][0]) > 100, 1200)
        back_up(deployed, options.out)
    with stack(
        SETTINGS, options.teacher, options.workers, before_start=lambda fresh: restore(fresh, options.out)
    ) as fresh:
        restored = [int(number) for number in fresh.psql(RESULTS)[0]]
        result = {"results_restored": restored[0], **drive(fresh), **fresh.invariants()}
        result["calls_before_and_after"] = restored[1], result["calls_recorded"]
    print(json.dumps(result, indent=1))
    sys.exit(bool(result["broken"] or result["runs_started_by_hand"] or not restored[0]))


def back_up(deployed: Stack, out: Path) -> None:
    """Both databases first, then the objects, while the run continues."""
    out.mkdir(parents=True, exist_ok=True)
    for name in ("airflow", "gem"):
        dump = [*deployed.command, "exec", "-T", "postgres", "pg_dump", "-U", "gem", "-Fc", name]
        with (out / f"{name}.dump").open("wb") as file:
            subprocess.run(dump, cwd=ROOT, stdout=file, check=True)
    deployed.tool("python", "-c", DOWNLOAD, folder=out)


def restore(fresh: Stack, out: Path) -> None:
    """Into a project that has no containers and volumes yet, before its services start."""
    fresh.run("up", "--detach", "--wait", "postgres", "s3")
    fresh.tool("python", "-c", UPLOAD, folder=out)
    for name in ("airflow", "gem"):
        if name == "airflow":
            fresh.run("exec", "-T", "postgres", "createdb", "-U", "gem", "-T", "template0", name)
        load = [
            *fresh.command,
            "exec",
            "-T",
            "postgres",
            "pg_restore",
            "-U",
            "gem",
            "--no-owner",
            "--no-privileges",
            "-d",
            name,
        ]
        with (out / f"{name}.dump").open("rb") as file:
            subprocess.run(load, cwd=ROOT, stdin=file, check=True)


if __name__ == "__main__":
    main()
