"""Finds and ends the processes of one GEM_HOME, regardless of who started them and whether the parent still runs.

Every process of GEM has a variable with its GEM_HOME, which its children inherit, so recycled pids are detected.
Airflow's workers overwrite that memory with their title: GEM recognises them by the session of their service.
"""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import psutil

MARK = "GEM_SUPERVISED"
_TERM_LIMIT_S = 15


def ours(home: Path) -> list[psutil.Process]:
    """All processes of this home, except the current one."""
    own, sessions = os.getpid(), dict(_sessions(home))
    found: list[psutil.Process] = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            marked = process.environ().get(MARK) == str(home)
            since = sessions.get(os.getsid(process.pid))
            if process.pid != own and (marked or (since is not None and process.create_time() >= since - 1)):
                found.append(process)
    return found


def remember_session(home: Path, pid: int) -> None:
    """Records that a process of GEM leads a session."""
    with (home / "sessions").open("a", encoding="utf-8") as file:
        file.write(f"{pid} {psutil.Process(pid).create_time()}\n")


def forget_sessions(home: Path) -> None:
    """Deletes the record of sessions, once all processes have ended."""
    (home / "sessions").unlink(missing_ok=True)


def _sessions(home: Path) -> Iterator[tuple[int, float]]:
    """Yields `(session, start time)`; omits a session whose leader's pid now belongs to another process."""
    path = home / "sessions"
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        pid, began = int(line.split()[0]), float(line.split()[1])
        with contextlib.suppress(psutil.NoSuchProcess):
            if abs(psutil.Process(pid).create_time() - began) > 1:
                continue
        yield pid, began


def supervisor(home: Path) -> psutil.Process | None:
    """The supervisor of this home, if it is running."""
    for process in ours(home):
        with contextlib.suppress(psutil.Error):
            if "gem_tasks.local.supervisor" in process.cmdline() and process.status() != psutil.STATUS_ZOMBIE:
                return process
    return None


def end(processes: list[psutil.Process]) -> None:
    """Asks processes to stop, and kills those that do not."""
    for process in processes:
        with contextlib.suppress(psutil.Error):
            process.terminate()
    _, alive = psutil.wait_procs(processes, timeout=_TERM_LIMIT_S)
    for process in alive:
        with contextlib.suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(alive, timeout=5)
