"""Has a model's folder looked through, confined, before a training or a server loads it."""

import json
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import cast

from gem_tasks.confine.job import Job, Limits, SandboxMode
from gem_tasks.confine.launch import started
from gem_tasks.distill.base import blobs, reads
from gem_tasks.domain.base import Json
from gem_tasks.errors import UserError
from gem_tasks.visible import visible

_WALL_S = 600
"""For a machine that is busy: the program limits its CPU time itself."""
_BEGIN = """import sys
sys.path[:0] = sys.argv[4:]
from gem_tasks.distill.inspection.inside import main
main(*sys.argv[1:4])
"""
_LIMITS = Limits(memory_gb=4, processes=64, file_gb=0.001, scratch_gb=0.01)
_PACKAGE = Path(__file__).parents[2]
_LIBRARIES = ("jinja2", "markupsafe")


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
    reason = verdict.get("reason") or f"looking through {at or 'it'} takes too much time or memory"
    fix = verdict.get("fix") or "Use another copy of the model, from a publisher whom you trust."
    raise UserError(f"GEM does not load {visible(name)[:200]}: {visible(str(reason))[:300]}", visible(str(fix))[:200])


def _verdict(folder: Path, scratch: Path, trusted: bool, sandbox: SandboxMode) -> tuple[Json, str]:
    """What the program said last, and which file it looked at then."""
    libraries = [Path(cast("str", found.origin)).parent for each in _LIBRARIES if (found := find_spec(each))]
    shared = blobs(folder)
    own = (_PACKAGE / "__init__.py", _PACKAGE / "distill" / "__init__.py", Path(__file__).parent)
    places = dict.fromkeys(str(each) for each in (_PACKAGE.parent, *(each.parent for each in libraries)))
    arguments = [str(folder), str(shared or ""), "1" if trusted else "", *places]
    job = Job(
        command=(sys.executable, "-I", "-S", "-c", _BEGIN, *arguments),
        folder=scratch,
        reads=(*own, *libraries, *reads(folder)),
        limits=_LIMITS,
    )
    with started(job, sandbox, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        try:
            said = process.communicate(timeout=_WALL_S)[0]
        except subprocess.TimeoutExpired:
            said = b""
    return _read(said)


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
