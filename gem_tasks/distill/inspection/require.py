"""Has a model's folder looked through, confined, before a training or a server loads it."""

import json
import subprocess
import sys
import tempfile
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import cast

from gem_tasks.confine.job import Job, Limits, SandboxMode
from gem_tasks.confine.launch import started
from gem_tasks.distill.base import blobs, reads
from gem_tasks.domain.base import Json
from gem_tasks.errors import UserError
from gem_tasks.visible import visible

CPU_S = 60
_WALL_S = 600
"""For a machine that is busy."""
_LIMITS = Limits(memory_gb=4, processes=4096, file_gb=0.01, scratch_gb=0.01)
_PACKAGES = ("markupsafe", "jinja2", "gem_tasks.distill.inspection")


def require_loadable(folder: Path, name: str, *, trusted: bool, sandbox: SandboxMode) -> None:
    """Checks that no file of the folder does more than a model needs.

    Args:
        folder: with weights, settings and tokenizer.
        name: of the model, for the message.
        trusted: the deployment lets models bring code.
        sandbox: the deployment's `GEM_SANDBOX`.

    Raises:
        UserError: why it is not loaded.
    """
    with tempfile.TemporaryDirectory(prefix="gem-model-") as scratch:
        verdict, at = _verdict(folder, Path(scratch), trusted, sandbox)
    if verdict.get("done") is True:
        return
    reason = verdict.get("reason") or f"looking through {at or 'it'} fails, or takes too much time or memory"
    fix = verdict.get("fix") or "Use another copy of the model, from a publisher whom you trust."
    raise UserError(f"GEM does not load {visible(name)[:200]}: {visible(str(reason))[:300]}", visible(str(fix))[:200])


def _verdict(folder: Path, scratch: Path, trusted: bool, sandbox: SandboxMode) -> tuple[Json, str]:
    """What the program said last, and which file it looked at then."""
    shared = blobs(folder)
    packages = {name: Path(cast("str", spec.origin)).parent for name in _PACKAGES if (spec := find_spec(name))}
    given = (str(CPU_S), str(folder), str(shared or ""), "1" if trusted else "")
    arguments = (*given, *(f"{package}={place}" for package, place in packages.items()))
    job = Job(
        command=(sys.executable, "-I", "-S", str(Path(__file__).with_name("begin.py")), *arguments),
        folder=scratch,
        reads=(*packages.values(), *reads(folder)),
        limits=_LIMITS,
    )
    with tempfile.TemporaryFile() as said:  # the limit of files is that of what it can say
        with (
            started(job, sandbox, stdout=said, stderr=subprocess.DEVNULL) as process,
            suppress(subprocess.TimeoutExpired),
        ):
            process.wait(_WALL_S)
        said.seek(0)
        return _read(said.read())


def _read(said: bytes) -> tuple[Json, str]:
    at = ""
    for line in said.decode("utf-8", "replace").splitlines():
        try:
            found = json.loads(line)
        except ValueError:
            continue
        if isinstance(found, dict) and ("done" in found or "reason" in found):
            return cast("Json", found), at
        if isinstance(found, dict):
            at = str(cast("Json", found).get("at", ""))
    return {}, at
