"""`gem doctor --security`: checks GEM's security on this machine, by real attempts where possible.

A check is a function of the settings that returns a `Diagnosis`; add new ones to `CHECKS`. docs/security.md explains
each.
"""

import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

from gem_tasks.confine import means
from gem_tasks.confine.job import Job, Limits
from gem_tasks.confine.launch import started
from gem_tasks.distill.inspection.require import require_loadable
from gem_tasks.errors import GemError, UserError
from gem_tasks.local.doctor import Diagnosis
from gem_tasks.local.security_edges import security as edges
from gem_tasks.settings import Settings

_TRY_S = 60
_BUBBLEWRAP = "Install bubblewrap (apt-get install bubblewrap), and allow user namespaces for GEM's user."
_ATTACK = """
import json, os, signal, socket, sys
canary, port, process = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
def works(what):
    try: what()
    except (OSError, MemoryError): return False
    return True
def crowd():
    children = []
    try:
        for _ in range(200):
            child = os.fork()
            if not child: signal.pause()
            children.append(child)
    finally:
        for child in children: os.kill(child, 9)
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
reached = {
    "environment": "GEM_CANARY" in os.environ, "files": works(lambda: open(canary).read()),
    "network": works(lambda: socket.create_connection(("127.0.0.1", port), 5)),
    "processes": works(lambda: os.kill(process, 0)),
}
unlimited = {
    "memory": works(lambda: bytearray(10**9)),
    "size of files": works(lambda: os.truncate(open("large", "w").fileno(), 10**8)),
    "number of processes": works(crowd),
}
print(json.dumps({"reached": reached, "unlimited": unlimited}))
"""
"""Says what it got hold of that it should not, and which limits did not hold."""
_ATTACK_LIMITS = Limits(memory_gb=0.5, processes=100, file_gb=0.01)


def examine(settings: Settings) -> Iterator[Diagnosis]:
    """Runs all checks; a failing one does not prevent the others."""
    for check in CHECKS:
        try:
            yield check(settings)
        except UserError as error:
            yield Diagnosis(name=_name(check), ok=False, detail=error.cause, fix=error.fix)
        except GemError as error:
            yield Diagnosis(name=_name(check), ok=False, detail=str(error), fix="See docs/security.md.")
    for name, holds, detail in edges(settings):
        yield Diagnosis(name=name, ok=holds, detail=detail)


def _name(check: "Check") -> str:
    return check.__name__.strip("_").replace("_", " ")


def _confinement(settings: Settings) -> Diagnosis:
    """Reports how this machine confines third-party programs."""
    found = means.chosen(settings.sandbox)
    off = "Set GEM_SANDBOX=auto. " if settings.sandbox == "off" else ""
    fix = off + ("" if found.kind == "namespaces" and not found.lost else _BUBBLEWRAP)
    return Diagnosis(name="confinement", ok=not fix, detail=found.summary, fix=fix.strip())


def _attempted_escape(settings: Settings) -> Diagnosis:
    """Runs a program that reaches for GEM's environment, files, processes and ports, and for more than its limits."""
    said = _attack(settings)
    got = [name for name, reached in said["reached"].items() if reached]
    more = [name for name, reached in said["unlimited"].items() if reached]
    told = [f"reaches GEM's {' and '.join(got)}"] if got else []
    told += [f"has no limit of the {' and '.join(more)}"] if more else []
    tried = ", ".join((*said["reached"], *said["unlimited"]))
    detail = f"a third-party program {', and '.join(told)}" if told else f"third-party programs are confined: {tried}"
    return Diagnosis(name="attempted escape", ok=not told, detail=detail, fix=_BUBBLEWRAP if told else "")


def _hostile_model(settings: Settings) -> Diagnosis:
    """Has a folder with a pickle, and one with a template that attacks, looked through as before a training."""
    hostile = {"pytorch_model.bin": "a pickle", "chat_template.jinja": "{{ ''.__class__.__mro__ }}"}
    loaded = [name for name, text in hostile.items() if _loads(settings, name, text)]
    detail = (
        f"GEM loads a model's {' and '.join(loaded)}"
        if loaded
        else "models with pickles or attacking templates are refused"
    )
    fix = "Unset GEM_TRUST_REMOTE_CODE unless you trust every model that runs may name." if loaded else ""
    return Diagnosis(name="hostile models", ok=not loaded, detail=detail, fix=fix)


def _loads(settings: Settings, name: str, text: str) -> bool:
    with tempfile.TemporaryDirectory(prefix="gem-doctor-") as place:
        (Path(place) / name).write_text(text, encoding="utf-8")
        (Path(place) / name).chmod(0o644)
        Path(place).chmod(0o755)
        try:
            require_loadable(Path(place), "m", trusted=settings.trust_remote_code, sandbox=settings.sandbox)
        except UserError as error:
            if name in error.cause and "fails, or" not in error.cause:
                return False
            raise
    return True


def _attack(settings: Settings) -> dict[str, dict[str, bool]]:
    with (
        _canary(),
        tempfile.TemporaryDirectory(prefix="gem-doctor-") as place,
        socket.create_server(("127.0.0.1", 0)) as other,
    ):
        canary = Path(place) / "canary"
        canary.write_text("secret", encoding="utf-8")
        canary.chmod(0o644)  # readable, so that only the sandbox can hide it
        Path(place).chmod(0o755)
        attack = (str(Path(sys.executable)), "-I", "-S", "-c", _ATTACK, str(canary), str(other.getsockname()[1]))
        job = Job(command=(*attack, str(os.getpid())), folder=Path(place) / "work", limits=_ATTACK_LIMITS)
        with started(job, settings.sandbox, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            said, complaint = process.communicate(timeout=_TRY_S)
    try:
        return json.loads(said)
    except ValueError:
        why = complaint.decode("utf-8", "replace").strip().splitlines() or ["it printed nothing"]
        raise GemError(f"the sandbox does not start: {why[-1][:200]}") from None


@contextmanager
def _canary() -> Generator[None]:
    """A variable that third-party programs must not see."""
    os.environ["GEM_CANARY"] = "1"
    try:
        yield
    finally:
        del os.environ["GEM_CANARY"]


def _user(settings: Settings) -> Diagnosis:
    """Names the user whose rights a fault in GEM would expose."""
    del settings
    root = os.geteuid() == 0
    fix = "Run GEM as a separate user." if root else ""
    return Diagnosis(name="user", ok=not root, detail="GEM runs as root" if root else f"user {os.geteuid()}", fix=fix)


def _code_of_profiles(settings: Settings) -> Diagnosis:
    trusted = settings.trust_remote_code
    detail = "profiles may load code" if trusted else "profiles that load code are refused"
    fix = "Unset GEM_TRUST_REMOTE_CODE unless you wrote every profile yourself." if trusted else ""
    return Diagnosis(name="code of profiles", ok=not trusted, detail=detail, fix=fix)


Check = Callable[[Settings], Diagnosis]
CHECKS: tuple[Check, ...] = (_confinement, _attempted_escape, _hostile_model, _user, _code_of_profiles)
