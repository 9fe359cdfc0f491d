"""What each bomb costs: `python -m tests.bombs [NAME ...] [--keep FOLDER]`. Takes 15 minutes for all.

Every bomb is ingested by a process of its own, as a task does it, into a real Postgres, with an ordinary document
behind it in the same folder. A line says: CPU seconds of the task with all that it started, beyond the same run without
the bomb; the most memory that the task, its largest child, and all of them at one moment had; what was recorded.
Fails if a bomb exceeds the target, or costs its neighbour.
"""

import argparse
import shutil
import socket
import sys
import tempfile
from collections import Counter
from pathlib import Path

from pydantic import SecretStr

from gem_tasks.lineage.migrate import migrate
from gem_tasks.local.postgres import Postgres
from gem_tasks.pipeline.ingest.source import ingest
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.settings import Settings
from tests.bombs.files import BOMBS, WORDS, write
from tests.bombs.measure import Watch, apart, cpu_s

MOST_CPU_S, MOST_MB = 20, 512
GOOD = "zz-good.txt"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--keep", type=Path, help="where the bombs are written and found again")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        server = Postgres(Path(folder) / "pg", free_port(), SecretStr("bombs"))
        server.start()
        try:
            return table(Path(folder), server, options)
        finally:
            server.stop()


def table(folder, server, options):
    server.create_database("bombs")
    migrate(server.dsn("bombs"))
    bombs = options.keep or folder / "bombs"
    bombs.mkdir(exist_ok=True)
    nothing = measure(folder, server.dsn("bombs"), None)
    print(f"without a bomb: {line(nothing)}", flush=True)
    failed = 0
    for name in chosen(options.names):
        found = measure(folder, server.dsn("bombs"), apart(write, name, bombs))
        found["cpu_s"] -= nothing["cpu_s"]
        bad = found["cpu_s"] > MOST_CPU_S or found["together_mb"] > MOST_MB or found["good"] != [None]
        failed += bad
        print(f"{'FAIL' if bad else 'ok'} {name}: {line(found)}", flush=True)
    print(f"{failed} of them failed")
    return bool(failed)


def chosen(names):
    return [name for name in BOMBS if not names or any(name == each or name.endswith(f".{each}") for each in names)]


def line(found):
    sizes = "/".join(str(found[key]) for key in ("task_mb", "child_mb", "together_mb"))
    return f"{found['cpu_s']:.1f} s CPU, {sizes} MB (task/child/together), {found['recorded']}"


def measure(folder, dsn, bomb):
    source = Path(tempfile.mkdtemp(dir=folder))
    if bomb:
        shutil.copy(bomb, source)
    (source / GOOD).write_text(WORDS * 3 + source.name)
    found = apart(run, str(source), dsn, str(folder / "home"))
    shutil.rmtree(source)
    return found or {"cpu_s": 0, "task_mb": 0, "child_mb": 0, "together_mb": 0, "good": [], "recorded": "died"}


def run(source, dsn, home):
    work = Workspace.open(Settings(home=Path(home), postgres_dsn=SecretStr(dsn), ingest_processes=1))
    watch = Watch()
    begun = cpu_s()
    ingest(work, source, "2026-01-31T14:00")
    used = cpu_s() - begun
    watch.stop()
    with work.ledger() as ledger:
        rows = ledger.pg.execute(
            "SELECT uri, reason, detail FROM documents WHERE starts_with(uri, %s)", [f"file://{source}"]
        )
        rows = rows.fetchall()
    good = [row["reason"] for row in rows if row["uri"].endswith(GOOD)]
    reasons = Counter(row["reason"] or "read" for row in rows if not row["uri"].endswith(GOOD))
    said = next((row["detail"] for row in reversed(rows) if row["detail"]), "")
    recorded = ", ".join(f"{count} {reason}" for reason, count in reasons.items()) + (
        f" ({said[:120]})" if said else ""
    )
    return {
        "cpu_s": used, "task_mb": watch.task >> 20, "child_mb": watch.child >> 20,
        "together_mb": watch.together >> 20, "good": good, "recorded": recorded,
    }  # fmt: skip


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


if __name__ == "__main__":
    sys.exit(main())
