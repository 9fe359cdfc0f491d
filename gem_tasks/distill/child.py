"""A long-running child: followed line by line, and never left behind.

The kernel ends it when we die (Linux: PR_SET_PDEATHSIG), even by kill -9, so that a retry does not meet its predecessor;
leaving the context ends its whole process group otherwise.
"""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_END_LIMIT_S = 15


@contextmanager
def child(command: Sequence[str | Path], log: Path, env: dict[str, str]) -> Generator["subprocess.Popen[str]"]:
    """Its standard output as text lines; standard error goes to the log file."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as file:
        process = subprocess.Popen(  # noqa: S603 - our own command, no shell
            [str(part) for part in command],
            env={**os.environ, **env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=file,
            text=True,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
            preexec_fn=_die_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509 - one C call
        )
    try:
        yield process
    finally:
        end_group(process)


def end_group(process: "subprocess.Popen[str]") -> None:
    """Asks the process and its children to stop, then makes them."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(_END_LIMIT_S)
    except subprocess.TimeoutExpired:
        pass
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
