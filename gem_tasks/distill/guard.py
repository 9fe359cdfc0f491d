"""Runs one server as long as its lease lasts: `python -m gem_tasks.distill.guard LEASE`. See `serve`.

The server runs confined, because it loads third-party weights. The kernel kills it when the guard dies, even by
kill -9 (Linux). The guard holds the lock, so the next one starts only after this server has exited.
"""

import fcntl
import json
import shutil
import signal
import sys
import time
from pathlib import Path

from gem_tasks.confine.job import Job
from gem_tasks.confine.launch import started
from gem_tasks.domain.base import Json
from gem_tasks.errors import GemError

_LOOK_S = 0.5


def main(lease: Path) -> int:
    """Waits for the lock, runs the server, and stops it."""
    job: Json = json.loads(lease.read_text(encoding="utf-8"))
    signal.signal(signal.SIGTERM, _leave)
    with Path(job["lock"]).open("w", encoding="utf-8") as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if not _held(lease, job):
                    return 0
                time.sleep(_LOOK_S)
        return _run(lease, job)


def _leave(number: int, frame: object) -> None:
    """Raises `SystemExit`, so that every `finally` runs."""
    del frame
    sys.exit(128 + number)


def _run(lease: Path, job: Json) -> int:
    try:
        with (
            Path(job["log"]).open("ab") as log,
            started(Job.model_validate(job["confined"]), job["sandbox"], stdout=log, stderr=log) as server,
        ):
            while _held(lease, job) and server.poll() is None:
                time.sleep(_LOOK_S)
            return server.poll() or 0
    except GemError as error:  # a process that waits for the server reads only its log
        with Path(job["log"]).open("a", encoding="utf-8") as log:
            log.write(f"{error}\n")
        return 1
    finally:
        lease.unlink(missing_ok=True)
        shutil.rmtree(lease.with_suffix(".files"), ignore_errors=True)


def _held(lease: Path, job: Json) -> bool:
    """Whether the lease exists and was renewed recently."""
    try:
        return time.time() - lease.stat().st_mtime < job["idle_s"]
    except FileNotFoundError:
        return False


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
