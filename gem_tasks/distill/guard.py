"""Runs one server as long as its lease lasts: `python -m gem_tasks.distill.guard LEASE`. See `serve`.

The server dies with the guard, even by kill -9: the kernel sees to it (Linux), and it is in the guard's session, which
`gem down` ends. The lock is the guard's, so the next one starts when this server has really gone.
"""

import ctypes
import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from gem_tasks.domain.base import Json

_LOOK_S = 0.5
_TERM_LIMIT_S = 15
_PR_SET_PDEATHSIG = 1
_KEPT = (
    "PATH",
    "HOME",
    "TMPDIR",
    "LANG",
    "HF_",
    "CUDA_",
    "NVIDIA_",
    "OMP_",
    "LD_LIBRARY_PATH",
    "GEM_SUPERVISED",
    "VLLM_",
)


def main(lease: Path) -> int:
    """Stands in line, runs the server, ends it."""
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
    """Leaves through every `finally`."""
    del frame
    sys.exit(128 + number)


def _run(lease: Path, job: Json) -> int:
    # On a busy machine threads that spin while they wait are several times slower than threads that sleep.
    calm = {"OMP_WAIT_POLICY": "PASSIVE"}
    env = calm | {name: value for name, value in os.environ.items() if name.startswith(_KEPT)} | job["env"]
    cache = Path(env.get("HF_HOME", Path.home() / ".cache" / "huggingface")) / "hub"
    cache.mkdir(parents=True, exist_ok=True)  # transformers answers 500 to /v1/models without it
    with Path(job["log"]).open("ab") as log:
        server = subprocess.Popen(  # noqa: S603 - our own command, no shell
            job["command"],
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            preexec_fn=_die_with_parent if sys.platform == "linux" else None,
        )
        try:
            while _held(lease, job) and server.poll() is None:
                time.sleep(_LOOK_S)
            return server.poll() or 0
        finally:
            _end(server)
            lease.unlink(missing_ok=True)


def _held(lease: Path, job: Json) -> bool:
    """Whether the lease is there and somebody renewed it lately."""
    try:
        return time.time() - lease.stat().st_mtime < job["idle_s"]
    except FileNotFoundError:
        return False


def _end(server: "subprocess.Popen[bytes]") -> None:
    if server.poll() is None:
        server.terminate()
    try:
        server.wait(_TERM_LIMIT_S)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
