"""An hourly run over a source of many files of which none, or one in a hundred, is new.

    python benchmarks/ingest/hourly.py [--objects 100000]

Makes the files (about 1 KB each) and records all as read, which is what an earlier run leaves; then scans, adds one in
a hundred, and scans again. Prints a JSON line for each scan; the peak includes making them.
"""

import argparse
import json
import resource
import tempfile
import time
from itertools import islice
from pathlib import Path

from pydantic import SecretStr
from run import cpu_s, free_port

from gem_tasks.corpus.sources.listing import list_objects
from gem_tasks.lineage import ReadObject
from gem_tasks.lineage.migrate import migrate
from gem_tasks.local.postgres import Postgres
from gem_tasks.pipeline.ingest.source import ingest
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.settings import Settings


def main():
    """Prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--objects", type=int, default=100_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make(folder / "corpus", range(options.objects))
        server = Postgres(folder / "pg", free_port(), SecretStr("bench"))
        server.start()
        try:
            server.create_database("gem")
            migrate(server.dsn("gem"))
            work = Workspace.open(Settings(home=folder, postgres_dsn=SecretStr(server.dsn("gem"))))
            record(work, str(folder / "corpus"))
            scan("nothing new", work, folder / "corpus")
            make(folder / "corpus", range(options.objects, options.objects + options.objects // 100))
            scan("1 % new", work, folder / "corpus")
        finally:
            server.stop()


def make(folder, numbers):
    for number in numbers:
        path = folder / f"{number // 1000:04}" / f"{number:07}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(" ".join(f"w{number * 31 + each * 7919}" for each in range(120)), encoding="utf-8")


def record(work, source):
    with work.ledger() as ledger:
        number = ledger.sources.register_source(source)
        found = (ReadObject(key=each.uri, etag=each.etag, size=each.size, documents=1) for each in list_objects(source))
        while some := list(islice(found, 10_000)):
            ledger.sources.upsert_objects(number, some)


def scan(name, work, folder):
    started, cpu = time.monotonic(), cpu_s()
    report = ingest(work, str(folder), "2026-01-31T14:00")
    wall, used = time.monotonic() - started, cpu_s() - cpu
    peak = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    figures = {"objects": report.objects, "unchanged": report.unchanged, "segments": report.segments}
    print(json.dumps({"phase": name, **figures, "wall_s": round(wall, 1), "cpu_s": round(used, 1), "peak_mb": peak}))


if __name__ == "__main__":
    main()
