"""Keeps the embedded services running: `python -m gem_tasks.local.supervisor NAME…`, detached by `gem up`.

Starts each as a child, restarts one that exits (with growing pauses), and stops all of them on SIGTERM or SIGINT.
`airflow standalone` is not used: it leaves its children behind when it is terminated.
"""

import logging
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

from gem_tasks.files import keep_private
from gem_tasks.local import processes, teacher

logger = logging.getLogger("gem.supervisor")

LOGS = "log-server"
AIRFLOW = ("api-server", "scheduler", "dag-processor", "triggerer", LOGS)
TEACHER = "teacher"
_POLL_S = 0.5
_STEADY_S = 60
"""Seconds after which a child counts as healthy: the next crash starts with the shortest pause."""
_LOG_BYTES = 50_000_000
_LONGEST_PAUSE_S = 60


@dataclass
class Child:
    """One service, with the number of its consecutive crashes."""

    name: str
    command: list[str]
    log: Path
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    crashes: int = 0
    not_before: float = field(default=0.0)

    def start(self) -> None:
        """Starts the service, and appends its output to its log."""
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                self.command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
            )
        self.started = time.monotonic()
        processes.remember_session(self.log.parents[1], self.process.pid)
        logger.info("%s started, pid %d", self.name, self.process.pid)

    def tend(self) -> None:
        """Restarts the service if it has exited."""
        now = time.monotonic()
        if self.process and (code := self.process.poll()) is not None:
            self.crashes = 1 if now - self.started > _STEADY_S else self.crashes + 1
            pause = min(_LONGEST_PAUSE_S, 2**self.crashes)
            self.not_before, self.process = now + pause, None
            logger.warning("%s exited with %d; restarting in %d s; see %s", self.name, code, pause, self.log)
        if self.process is None and now >= self.not_before:
            self.start()


def commands(names: list[str]) -> dict[str, list[str]]:
    """The command line of each service."""
    offline = teacher.command(os.environ.get("GEM_TEACHER_PORT", "0"), Path(os.environ["GEM_HOME"]) / "teacher")
    airflow = str(Path(sys.executable).with_name("airflow"))
    # Airflow's log servers listen on all interfaces and have no option against that, so GEM's replaces them.
    known = {TEACHER: offline, LOGS: _log_server()}
    known |= {name: [airflow, name, "--skip-serve-logs"] for name in ("scheduler", "triggerer")}
    return {name: known.get(name, [airflow, name]) for name in names}


def _log_server() -> list[str]:
    """The server of running tasks' logs for Airflow's pages: on loopback, for requests that Airflow has signed."""
    app = ["airflow.utils.serve_logs.log_server:get_app", "--factory"]
    port = os.environ.get("AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT", "0")
    return [sys.executable, "-m", "uvicorn", *app, "--host", "127.0.0.1", "--port", port, "--log-level", "warning"]


def main(names: list[str]) -> None:
    """Runs until SIGTERM or SIGINT."""
    keep_private()
    home = Path(os.environ["GEM_HOME"])
    logs = home / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    stop = Event()

    def on_signal(number: int, frame: object) -> None:
        del number, frame
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, on_signal)
    children = [Child(name, command, _log(logs / f"{name}.log")) for name, command in commands(names).items()]
    while not stop.wait(_POLL_S):
        for child in children:
            child.tend()
    logger.info("stopping")
    processes.end([process for process in processes.ours(home) if process.pid != os.getpid()])


def _log(path: Path) -> Path:
    """Rotates a large log; keeps one old log."""
    if path.exists() and path.stat().st_size > _LOG_BYTES:
        path.replace(path.with_suffix(".log.1"))
    return path


if __name__ == "__main__":
    main(sys.argv[1:])
