"""Serves a model over an OpenAI-compatible API during its evaluation: vLLM on a GPU, otherwise `transformers serve`.

The server is a child of a guard (`gem_tasks.distill.guard`), a separate process, so that it outlives the task that
starts it, but not its lease: a file that `stop` removes and `renewing` renews. Even if processes are killed or no
teardown runs (Airflow runs none when a person marks the run as failed), the guard exits `idle_minutes` after the last
renewal, and the server exits with the guard. GEM runs one server per GEM_HOME: guards wait for a lock, because two
servers would share one GPU.
"""

import contextlib
import json
import os
import shutil
import socket
import sys
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import httpx2
import psutil
from pydantic import Field

from gem_tasks import http_clients
from gem_tasks.confine.job import Job
from gem_tasks.distill.base import environment, library_folders, limits, reads
from gem_tasks.distill.train import weights
from gem_tasks.domain.base import Json, Value
from gem_tasks.domain.distill import Model
from gem_tasks.domain.evaluation import Endpoint
from gem_tasks.errors import GemError
from gem_tasks.evals.environment import ensure
from gem_tasks.evals.progress import Progress, silent
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.resources import shipped

_END_LIMIT_S = 40
_RENEW_S = 20.0
_TAIL = 8


class ServeOptions(Value):
    """Options of a model server."""

    max_model_len: int | None = Field(default=None, ge=128)
    """Tokens of prompt and answer together; None: the model's own limit."""
    tool_call_parser: str = "hermes"
    """vLLM's name for the model's format of calls."""
    reasoning_parser: str = "qwen3"
    """vLLM's name for the format of thoughts, of models that were trained on them: it keeps them out of the answer."""
    idle_minutes: float = Field(default=15, gt=0)
    """Minutes without a renewed lease after which the server stops."""
    start_limit_s: float = Field(default=1800, gt=0)
    """Time limit for loading the weights; waiting for another server does not count."""


class Served(Value):
    """A running server; a plain value, so that one task can start it and another stop it."""

    lease: str
    guard_pid: int
    guard_began: float
    """Start time of the guard's process, to detect a recycled pid."""
    base_url: str
    model: str
    engine: str

    @property
    def endpoint(self) -> Endpoint:
        """The server as an endpoint for the harnesses."""
        return Endpoint(base_url=self.base_url, model=self.model, one_at_a_time=self.engine == "transformers")


def start(work: Workspace, model: Model, options: ServeOptions, progress: Progress = silent) -> Served:
    """Starts a server and waits until it answers.

    Raises:
        GemError: it exited, or does not answer in time; the message contains the end of its log.
    """
    folder = work.settings.home.absolute() / "distill" / "serving"
    folder.mkdir(parents=True, exist_ok=True)
    path, port = weights(work, model, progress), _free_port()
    profile: Json = model.metrics.get("profile") or {}
    thinks = bool(profile.get("reasoning")) and model.set_id is not None
    engine, name, command = _command(work, path, port, options, progress, thinks=thinks)
    lease = folder / f"{model.model_id}-{uuid4().hex[:8]}.json"
    job = {
        "confined": _confined(command, Path(path), port, lease.with_suffix(".files"), engine).model_dump(mode="json"),
        "sandbox": work.settings.sandbox,
        "lock": str(folder / "lock"),
        "log": str(lease.with_suffix(".log")),
        "idle_s": options.idle_minutes * 60,
    }
    lease.write_text(json.dumps(job), encoding="utf-8")
    guard = _spawn([sys.executable, "-m", "gem_tasks.distill.guard", str(lease)])
    served = Served(
        lease=str(lease),
        guard_pid=guard,
        guard_began=psutil.Process(guard).create_time(),
        base_url=f"http://127.0.0.1:{port}/v1",
        model=name,
        engine=engine,
    )
    try:
        _wait_healthy(served, options.start_limit_s, progress)
    except BaseException:
        stop(served)
        raise
    return served


@contextmanager
def renewing(served: Served | None) -> Generator[None]:
    """Renews the lease while the block uses the server."""
    done = threading.Event()

    def renew() -> None:
        while served and not done.wait(_RENEW_S):
            _touch(Path(served.lease))

    thread = threading.Thread(target=renew, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def stop(served: Served) -> None:
    """Removes the lease and waits until guard and server have exited. Idempotent."""
    Path(served.lease).unlink(missing_ok=True)
    with contextlib.suppress(psutil.NoSuchProcess):
        guard = psutil.Process(served.guard_pid)
        if abs(guard.create_time() - served.guard_began) > 1:
            return
        family = [*guard.children(recursive=True), guard]
        try:
            guard.wait(_END_LIMIT_S)
        except psutil.TimeoutExpired:
            for process in family:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()


def running(home: Path) -> list[Json]:
    """Leases of this home that are held."""
    folder = home.absolute() / "distill" / "serving"
    return [{"lease": str(path), "since": path.stat().st_mtime} for path in sorted(folder.glob("*.json"))]


def _confined(command: list[str], weights: Path, port: int, folder: Path, engine: str) -> Job:
    """The sandbox of a server: it sees its weights, answers at its port, and has no other network."""
    gpus = engine == "vllm"
    hub = folder / "hub"
    (hub / "hub").mkdir(parents=True)  # transformers answers 500 to /v1/models without it
    return Job(
        command=tuple(command),
        folder=folder,
        reads=(shipped("envs") / "train", *reads(weights), *(library_folders() if gpus else ())),
        environment={**environment(), "HF_HOME": str(hub), "VLLM_HOST_IP": "127.0.0.1"},
        listens=port,
        gpus=gpus,
        parallel=True,
        clustered=gpus,
        limits=limits(gpus),
    )


def _command(
    work: Workspace, path: str, port: int, options: ServeOptions, progress: Progress, *, thinks: bool
) -> tuple[str, str, list[str]]:
    """Engine, the model's name in it, and the command to run; `thinks`: it was trained on thoughts."""
    home, length = work.settings.home, options.max_model_len
    common = ["--host", "127.0.0.1", "--port", str(port)]
    if shutil.which("nvidia-smi"):
        vllm = shutil.which("vllm") or str(ensure(home, "vllm", progress).with_name("vllm"))
        own = [
            "--served-model-name",
            "gem",
            "--enable-auto-tool-choice",
            "--tool-call-parser",
            options.tool_call_parser,
            *(["--reasoning-parser", options.reasoning_parser] if thinks else []),
        ]
        limit = ["--max-model-len", str(length)] if length else []
        return "vllm", "gem", [vllm, "serve", path, *common, *own, *limit]
    python = ensure(home, "train", progress)
    script = shipped("envs") / "train" / "serve.py"
    reasoning = "on" if thinks else "off"
    return "transformers", path, [str(python), str(script), path, *common, "--device", "cpu", "--reasoning", reasoning]


def _spawn(command: list[str]) -> int:
    """Starts a process that outlives this one, in a new session; `subprocess` would wait for it at exit."""
    nothing = [(os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_RDWR, 0) for number in range(3)]
    return os.posix_spawn(command[0], command, os.environ, file_actions=nothing, setsid=True)


def _wait_healthy(served: Served, limit_s: float, progress: Progress) -> None:
    lease, deadline = Path(served.lease), None
    log = lease.with_suffix(".log")
    url = served.base_url.removesuffix("/v1") + "/health"
    while True:
        if log.exists() and deadline is None:  # the guard has the lock
            deadline = time.monotonic() + limit_s
        if not psutil.pid_exists(served.guard_pid) or not _alive(served):
            raise GemError(f"The server of {served.model} stopped: {_tail(log)}")
        if deadline and time.monotonic() > deadline:
            raise GemError(f"The server of {served.model} did not answer within {limit_s:.0f} s: {_tail(log)}")
        with contextlib.suppress(httpx2.HTTPError), http_clients.client(timeout=5) as client:
            if client.get(url).status_code == 200:
                return
        _touch(lease)
        progress(f"waiting for {served.engine}" if deadline else "waiting for another server to stop", 0, 0)
        time.sleep(0.5)


def _touch(lease: Path) -> None:
    """Renews an existing lease; never recreates a removed one."""
    with contextlib.suppress(FileNotFoundError):
        os.utime(lease)


def _alive(served: Served) -> bool:
    try:
        return psutil.Process(served.guard_pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _tail(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.exists() else ["it wrote no log"]
    return " / ".join(lines[-_TAIL:])[-1500:]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
