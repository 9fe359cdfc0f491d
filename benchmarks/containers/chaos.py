"""A run over several worker containers while containers are killed, cut off, frozen, filled and misled.

    python -m benchmarks.containers.chaos CORPUS.jsonl --faults 60 --out /tmp/chaos      # root, gcc

The same corpus goes through twice, undisturbed and disturbed; both have to publish the same bytes.
`benchmarks.distributed.invariants` then reads store and database. Runs that fail are started again and counted: there
should be none. Prints JSON; exits with 1 if anything of that does not hold.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from benchmarks.containers.faults import Injector
from benchmarks.containers.stack import HURT, RAW, drive, stack
from benchmarks.distributed import invariants

SKEW = Path(__file__).with_name("skew.c")


def main() -> None:
    """Both runs, and what they leave."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--faults", type=int, default=60)
    parser.add_argument("--every", type=float, default=8, help="seconds between faults, on average")
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--teacher", default="latency_s=1&rate_429=0.01&rate_503=0.01&seed=7")
    parser.add_argument("--only-disturbed", action="store_true", help="compare nothing")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    if not options.corpus.is_file():
        parser.error(f"{options.corpus} is not a file")
    if os.geteuid() or not shutil.which("gcc"):
        parser.error("it needs root, to signal processes of containers, and gcc")
    options.out.mkdir(parents=True, exist_ok=True)
    found = {name: one(options, name) for name in ("undisturbed", "disturbed")[options.only_disturbed :]}
    differing = [] if options.only_disturbed else invariants.compare(*(options.out / name for name in found))
    print(json.dumps({**found, "datasets_differ": differing}, indent=1))
    by_hand = any(each["runs_started_by_hand"] for each in found.values())
    sys.exit(bool(differing or by_hand or any(each["broken"] for each in found.values())))


def one(options: argparse.Namespace, name: str) -> dict[str, object]:
    """One run from nothing to a published dataset."""
    settings = {"GEM_SHARD_SEGMENTS": "20", "GEM_LLM_CONCURRENCY": "4", "GEM_LLM_SLOTS": str(2 * options.workers)}
    skew = options.out / "skew.so"
    subprocess.run(["gcc", "-shared", "-fPIC", "-O2", "-o", skew, SKEW, "-ldl"], check=True)
    with stack(settings, options.teacher, options.workers, HURT.format(skew=skew.resolve())) as deployed:
        deployed.upload(options.corpus)
        deployed.trigger("gem_ingest", {"source": RAW, "license": "CC0-1.0"})
        faults = Injector(deployed, options.faults if name == "disturbed" else 0, options.every, options.seed)
        faults.start()
        told = drive(deployed)
        faults.over.set()
        faults.join(150)
        deployed.start()
        deployed.collect(options.out / name)
        result = {**told, "faults": dict(faults.done), **deployed.invariants()}
    print(json.dumps({name: result}), file=sys.stderr, flush=True)
    return result


if __name__ == "__main__":
    main()
