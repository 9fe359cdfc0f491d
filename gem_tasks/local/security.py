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
from gem_tasks.confine.job import Job
from gem_tasks.confine.launch import started
from gem_tasks.errors import GemError, UserError
from gem_tasks.local.doctor import Diagnosis
from gem_tasks.local.security_edges import security as edges
from gem_tasks.settings import Settings

_TRY_S = 60
_BUBBLEWRAP = "Install bubblewrap (apt-get install bubblewrap), and allow user namespaces for GEM's user."
_ATTACK = """
import json, os, socket, sys
canary, port = sys.argv[1], int(sys.argv[2])
found = {"environment": "GEM_CANARY" in os.environ, "files": True, "network": True}
try: open(canary).read()
except OSError: found["files"] = False
try: socket.create_connection(("127.0.0.1", port), 5).close()
except OSError: found["network"] = False
print(json.dumps(found))
"""
"""A program that reports what it can access but should not."""


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
    """Runs a program that tries to read GEM's environment and a file, and to reach another port of this machine."""
    got = [name for name, reached in _attack(settings).items() if reached]
    detail = f"a third-party program reaches GEM's {' and '.join(got)}" if got else "third-party programs are confined"
    return Diagnosis(name="attempted escape", ok=not got, detail=detail, fix=_BUBBLEWRAP if got else "")


def _attack(settings: Settings) -> dict[str, bool]:
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
        job = Job(command=attack, folder=Path(place) / "work")
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
CHECKS: tuple[Check, ...] = (_confinement, _attempted_escape, _user, _code_of_profiles)
