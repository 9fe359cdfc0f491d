"""The migrations to keys in partition order (ADR 27) over a filled lineage: beside two writers, interrupted, and back.

    python -m benchmarks.console.run --segments 2500000 --home /tmp/bench --only-fill      # then benchmarks.lineage
    python -m benchmarks.lineage_migration --home /tmp/bench --to 0025 --to 0026 --to 0027

Writers commit random shards of 200, as code before the migration or after it does. `--interrupt 60` ends the
connections of the migration after a minute, as a crash does, and migrates again. Prints JSON, one line each.
"""

import argparse
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from random import Random

from benchmarks.lineage import connect, ms, outcomes_row, say

OURS = "ON CONFLICT (partition_key, segment_id, recipe_id)"
ONLY_NEW = "0027"
END = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND (query LIKE 'CREATE %INDEX CONCURRENTLY%' OR query LIKE '%VALIDATE CONSTRAINT%')
  AND pid <> pg_backend_pid()
"""
ROWS = "SELECT count(*), coalesce(sum(calls), 0) FROM stage_results WHERE recipe_id <> 'bench-migration'"
UNFINISHED = "SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid"
RECIPE = """
INSERT INTO recipes (recipe_id, stage, version, params) VALUES ('bench-migration', 'filter', 1, '{}')
ON CONFLICT DO NOTHING
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--to", action="append", required=True, help="a revision; several in turn")
    parser.add_argument("--interrupt", type=float, help="seconds")
    arguments = parser.parse_args()
    os.environ["GEM_HOME"] = str(arguments.home)
    from gem_tasks.settings import load

    dsn = load().database
    with connect(dsn) as pg:
        pg.execute(RECIPE)
        before = pg.execute(ROWS).fetchone()
    for revision in arguments.to:
        with connect(dsn) as pg:
            (now,) = pg.execute("SELECT version_num FROM gem_alembic_version").fetchone()
        with Writers(dsn, "new" if ONLY_NEW in (now, revision) else "old") as writers:
            began = time.monotonic()
            command = [sys.executable, "-m", "gem_tasks.lineage.migrate", revision]
            command += ["--down"] if revision < now else []
            stopped = interrupted(dsn, command, arguments.interrupt) if arguments.interrupt else None
            subprocess.run(command, check=True)
            took = time.monotonic() - began
        with connect(dsn) as pg:
            same = pg.execute(ROWS).fetchone() == before
            sizes = pg.execute("SELECT pg_indexes_size('stage_results') / 1000000").fetchone()[0]
        say(step="migration", since=now, to=revision, seconds=round(took, 1), interrupted=stopped, rows=before[0],
            same_rows=same, indexes_mb=sizes, load=os.getloadavg()[0], **writers.found())  # fmt: skip


def interrupted(dsn, command, seconds):
    """Names what is unfinished when the connections of the migration end after some seconds."""
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    time.sleep(seconds)
    with connect(dsn) as pg:
        ended = pg.execute(END).fetchall()
        status = process.wait()
        return {"connections": len(ended), "exit": status, "unfinished": [row[0] for row in pg.execute(UNFINISHED)]}


class Writers:
    """Two threads that commit shards until the end, and the seconds that each commit took."""

    def __init__(self, dsn, code):
        self.dsn, self.code, self.seconds, self.rows = dsn, code, [], 0
        self._done = threading.Event()
        self._threads = [threading.Thread(target=self._write, args=(number,)) for number in range(2)]

    def __enter__(self):
        for each in self._threads:
            each.start()
        return self

    def __exit__(self, *_):
        self._done.set()
        for each in self._threads:
            each.join()

    def _write(self, number):
        from gem_tasks.lineage.queries import queries

        statement = queries()["upsert_outcomes"]
        if self.code == "old":
            statement = statement.replace(OURS, "ON CONFLICT (segment_id, recipe_id)")
        random = Random(number)
        with connect(self.dsn) as pg:
            parts = [row[0] for row in pg.execute("SELECT partition_key FROM partitions ORDER BY 1")]
            while not self._done.is_set():
                part = random.choice(parts[number::2])
                found = pg.execute("SELECT segment_id FROM segments WHERE partition_key = %s AND shard = %s ORDER BY 1",
                                   [part, random.randrange(25)]).fetchall()  # fmt: skip
                ids = [row[0] for row in found]
                began = time.monotonic()
                pg.execute(statement, outcomes_row("bench-migration", part, ids))
                self.seconds.append(time.monotonic() - began)
                self.rows += len(ids)

    def found(self):
        ordered = sorted(self.seconds)
        return {"code": self.code, "commits": len(ordered), "rows_written": self.rows,
                "commit_ms": {"p50": ms(ordered, 0.5), "p95": ms(ordered, 0.95), "max": ms(ordered, 1)}}  # fmt: skip


if __name__ == "__main__":
    main()
