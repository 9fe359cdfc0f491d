"""Ingestion as a task does it (store, Postgres, lineage), hour by hour, then hours with nothing and with little new.

    python benchmarks/ingest/run.py CORPUS [--processes 2] [--cores 2]

CORPUS is a folder that `corpus.py` made. Each of its hours is a source that is read into its own partition; then
everything is read again unchanged, and once more after one document in a hundred changed. Prints a JSON line for each
phase: wall and CPU seconds (with all child processes, Postgres apart), documents and MB a second, and the largest
resident sizes of the task and of its largest child.
"""

import argparse
import gzip
import json
import os
import resource
import socket
import tempfile
import time
from pathlib import Path

from pydantic import SecretStr

from gem_tasks.lineage.migrate import migrate
from gem_tasks.local.postgres import Postgres
from gem_tasks.pipeline.ingest.source import ingest
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.settings import Settings


def main():
    """Prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--hours", type=int)
    options = parser.parse_args()
    os.sched_setaffinity(0, set(range(options.cores)))
    with tempfile.TemporaryDirectory() as folder:
        server = Postgres(Path(folder) / "pg", free_port(), SecretStr("bench"))
        server.start()
        try:
            server.create_database("gem")
            migrate(server.dsn("gem"))
            settings = Settings(
                home=Path(folder), postgres_dsn=SecretStr(server.dsn("gem")), ingest_processes=options.processes
            )
            phases(Workspace.open(settings), sorted(options.corpus.iterdir())[: options.hours])
        finally:
            server.stop()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def phases(work, hours):
    measure("first", work, hours)
    measure("nothing new", work, hours)
    changed = sum(change(hour) for hour in hours)
    measure(f"{changed} changed", work, hours)


def measure(name, work, hours):
    started, cpu, total = time.monotonic(), cpu_s(), {}
    for number, hour in enumerate(hours):
        report = ingest(work, str(hour), f"2026-01-{31 if name == 'first' else 30}T{number:02}:00").model_dump()
        for key, value in report.items():
            if isinstance(value, int):
                total[key] = total.get(key, 0) + value
    wall, used = time.monotonic() - started, cpu_s() - cpu
    with work.ledger() as ledger:
        size = ledger.pg.execute("SELECT sum(chars) AS chars FROM documents").fetchone()["chars"]
    line = {
        "phase": name,
        **total,
        "wall_s": round(wall, 1),
        "cpu_s": round(used, 1),
        "documents_per_s": round(total["documents"] / wall),
        "mb_per_s": round(size / wall / 1e6, 1),
        "peak_mb": [round(resource.getrusage(who).ru_maxrss / 1024) for who in WHO],
    }
    print(json.dumps(line), flush=True)


WHO = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)


def cpu_s():
    return sum(usage.ru_utime + usage.ru_stime for usage in map(resource.getrusage, WHO))


def change(hour):
    """Every hundredth document of an hour gets a new first line; returns how many."""
    count = 0
    dump = hour / "documents.jsonl.gz"
    if not dump.exists():
        for path in sorted(hour.iterdir())[::100]:
            path.write_text(f"Edition {time.time_ns()}\n\n{path.read_text(encoding='utf-8')}", encoding="utf-8")
            count += 1
        return count
    lines = gzip.decompress(dump.read_bytes()).split(b"\n")
    for at in range(0, len(lines) - 1, 100):  # the last one is empty
        record = json.loads(lines[at])
        record["text"] = f"Edition {time.time_ns()}\n\n{record['text']}"
        lines[at] = json.dumps(record, ensure_ascii=False).encode()
        count += 1
    dump.write_bytes(gzip.compress(b"\n".join(lines), 1))
    return count


if __name__ == "__main__":
    main()
