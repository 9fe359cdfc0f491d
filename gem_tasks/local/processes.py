"""Finding and ending the processes that belong to one GEM_HOME, whoever started them and whatever became of the parent.

Every process of ours carries a variable with its GEM_HOME, which its children inherit: a recycled pid cannot fool us.
"""

import contextlib
from pathlib import Path

import psutil

MARK = "GEM_SUPERVISED"
_TERM_LIMIT_S = 15


def ours(home: Path) -> list[psutil.Process]:
    """All processes marked with this home, except the current one."""
    own = psutil.Process().pid
    found: list[psutil.Process] = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.pid != own and process.environ().get(MARK) == str(home):
                found.append(process)
    return found


def supervisor(home: Path) -> psutil.Process | None:
    """The supervisor of this home, if it lives."""
    for process in ours(home):
        with contextlib.suppress(psutil.Error):
            if "gem_tasks.local.supervisor" in process.cmdline() and process.status() != psutil.STATUS_ZOMBIE:
                return process
    return None


def end(processes: list[psutil.Process]) -> None:
    """Asks them to stop, then makes them."""
    for process in processes:
        with contextlib.suppress(psutil.Error):
            process.terminate()
    _, alive = psutil.wait_procs(processes, timeout=_TERM_LIMIT_S)
    for process in alive:
        with contextlib.suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(alive, timeout=5)
