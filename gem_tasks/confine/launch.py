"""Starts a confined program: the only place where third-party code begins to run.

The program gets only the environment that its job lists, a separate folder, and its job's endpoints through a relay
(`gem_tasks.confine.relay`). With bubblewrap it has separate files, network and processes, and another user if GEM
is root. Otherwise Landlock confines files and TCP. If the kernel supports neither, only limits and a clean environment
remain, and `gem doctor --security` says so.
"""

import asyncio
import contextlib
import json
import os
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any

import psutil

from gem_tasks.confine import bubblewrap, inside, means
from gem_tasks.confine.job import Job, SandboxMode
from gem_tasks.confine.means import Means
from gem_tasks.confine.relay import Relay, listening
from gem_tasks.confine.results import require_plain
from gem_tasks.errors import UserError

_INSIDE_PORT = 8181
_GB = 1e9
_ROUNDS = 50
"""Rounds of killing, because programs may start new processes meanwhile."""
_PLAIN = {
    "LANG": "C.UTF-8",
    "LOGNAME": "sandbox",
    "USER": "sandbox",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONIOENCODING": "utf-8",
    "PYTHONUNBUFFERED": "1",
}


@contextmanager
def started(
    job: Job,
    mode: SandboxMode,
    *,
    stdin: int = subprocess.DEVNULL,
    stdout: int | IO[Any] | None = None,
    stderr: int | IO[Any] | None = None,
) -> Generator["subprocess.Popen[bytes]"]:
    """Runs the program until the block ends, then kills it and all its children.

    Args:
        job: the program to run.
        mode: strictness: the deployment's `GEM_SANDBOX`.
        stdin: as in `subprocess`: `PIPE`, or `DEVNULL`.
        stdout: as in `subprocess`.
        stderr: as in `subprocess`.

    Raises:
        UserError: the machine cannot confine it and the deployment requires that, or it could not read its files.
        HarnessError: its folder holds links.
    """
    how = means.chosen(mode, clustered=job.clustered)
    job = job.model_copy(update={"folder": job.folder.absolute()})
    _prepare(job, how)
    with ExitStack() as stack:
        sockets = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gem-sandbox-")))
        sockets.chmod(0o711)
        door = stack.enter_context(_door(sockets / "in")) if job.listens and how.kind == "namespaces" else None
        command, environment = _told(job, how, sockets, door, stack)
        process = subprocess.Popen(  # noqa: S603 - our own command, no shell
            command,
            cwd=job.folder,
            env=environment,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,
            pass_fds=[door.fileno()] if door else [],
        )
        with process.stdout or contextlib.nullcontext():
            try:
                yield process
            finally:
                end(process)


def end(process: "subprocess.Popen[bytes]") -> None:
    """Kills all processes of the sandbox, then its first one, which adopted orphans."""
    for _ in range(_ROUNDS):
        with contextlib.suppress(psutil.Error):
            for each in (found := psutil.Process(process.pid).children(recursive=True)):
                with contextlib.suppress(psutil.Error):
                    each.kill()
            if found and process.poll() is None:
                continue
        break
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _prepare(job: Job, how: Means) -> None:
    """Makes the sandbox's user the owner of the folder, and checks that it can read the other paths."""
    job.folder.mkdir(parents=True, exist_ok=True)
    require_plain(job.folder)
    for path in job.reads:
        if not means.readable_by_sandbox(path, how):
            raise UserError(f"The sandbox's user cannot read {path}", f"Allow it: chmod -R a+rX {path}")
    if how.own_user:
        for folder, _, files in os.walk(job.folder):
            for name in (".", *files):
                os.chown(Path(folder) / name, means.UID, means.UID, follow_symlinks=False)


def _told(
    job: Job, how: Means, sockets: Path, door: socket.socket | None, stack: ExitStack
) -> tuple[list[str], dict[str, str]]:
    """Yields the command and its environment, after starting the helpers that it needs outside."""
    own = how.kind == "namespaces"
    relay = Relay(job.upstreams)
    port = stack.enter_context(listening(relay, sockets / "out" if own else None)) if job.upstreams else None
    if door and job.listens:
        stack.enter_context(_published(job.listens, sockets / "in"))
    scratch = None if own else stack.enter_context(tempfile.TemporaryDirectory(prefix="gem-tmp-"))
    temporary = Path(scratch or bubblewrap.TEMPORARY)
    specification = {
        "command": job.command,
        "limits": _limits(job, counted=not own),
        "uid": means.UID if how.own_user else None,
        "own_processes": own,
        "landlock": bubblewrap.landlock(job, temporary, port) if how.kind == "landlock" else None,
        "outward": [[_INSIDE_PORT, f"{bubblewrap.SOCKETS}/out"]] if own and job.upstreams else [],
        "inward": [[door.fileno(), job.listens]] if door else [],
    }
    first = [os.path.realpath(sys.executable), "-I", "-S", str(bubblewrap.INSIDE), json.dumps(specification)]
    address = f"http://127.0.0.1:{_INSIDE_PORT if own else port}"
    places = {name: address + relay.path(name) for name in job.upstreams} | {"token": relay.token}
    told = {name: _filled(value, places) for name, value in job.environment.items()}
    path = os.pathsep.join([str(Path(job.command[0]).parent), "/usr/local/bin", "/usr/bin", "/bin"])
    environment = _PLAIN | {"PATH": path, "HOME": str(temporary), "TMPDIR": str(temporary)} | told
    return ([*bubblewrap.arguments(job, how, sockets), *first] if own else first), environment


def _filled(text: str, places: Mapping[str, str]) -> str:
    for name, value in places.items():
        text = text.replace(f"{{{name}}}", value)
    return text


def _limits(job: Job, *, counted: bool) -> dict[str, int]:
    """Limits by the kernel's names. Without a separate process namespace, GEM's processes of this user count too."""
    limits = job.limits
    found = {"NPROC": limits.processes + (_ours() if counted else 0), "NOFILE": limits.open_files}
    if limits.memory_gb:
        found["DATA"] = int(limits.memory_gb * _GB)
    if limits.file_gb:
        found["FSIZE"] = int(limits.file_gb * _GB)
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    return found | ({"NOFILE": min(limits.open_files, hard)} if hard > 0 else {})


def _ours() -> int:
    """The number of threads that this user runs."""
    count = 0
    for task in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if task.stat().st_uid == os.getuid():
                count += len(list((task / "task").iterdir()))
    return count


@contextmanager
def _door(path: Path) -> Generator[socket.socket]:
    """A listening socket that the sandbox inherits, so that it needs no write access to the socket's folder."""
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(str(path))
        door.listen()
        yield door


@contextmanager
def _published(port: int, path: Path) -> Generator[None]:
    """Forwards connections to the port to the socket, which leads inside."""
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(inside.tcp_server(port, lambda: asyncio.open_unix_connection(str(path))))
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield
    finally:
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()
