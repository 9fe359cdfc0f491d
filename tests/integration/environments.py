"""Where the environments of training and harnesses are installed."""

import fcntl
import os
import shutil
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

from gem_tasks.evals.environment import installed, python_of
from gem_tasks.resources import shipped

HOME = Path(__file__).parents[2] / ".gem"
"""That of `make`: it has uv, and what is installed there once is kept."""
SMALL_TORCH = bool(os.environ.keys() & {"PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL"})
"""Somebody has said where a build for CPUs is; the index's own brings 5 GB of CUDA."""
if SMALL_TORCH:
    os.environ.setdefault("GEM_TORCH_LOCK", "none")  # its hash is in no lock


def templates_python() -> Path:
    """An interpreter with the locked trl, transformers and datasets, without torch, which rendering does not need."""
    if "GEM_TEST_TRL" in os.environ:
        return Path(os.environ["GEM_TEST_TRL"])
    if installed(HOME, "train"):
        return python_of(HOME, "train")
    folder, lock = HOME / "envs" / "templates", shipped("envs") / "train" / "requirements.txt"
    python = folder / "bin" / "python"
    uv = shutil.which("uv") or str(HOME / "uv" / "bin" / "uv")
    stamp, wanted = folder / "installed", sha256(lock.read_bytes()).hexdigest()
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_suffix(".lock").open("w") as waiting:
        fcntl.flock(waiting, fcntl.LOCK_EX)  # the other worker may be at it
        if not stamp.is_file() or stamp.read_text() != wanted:
            shutil.rmtree(folder, ignore_errors=True)
            install = [uv, "pip", "install", "-q", "--python", str(python), "-c", str(lock)]
            for command in (
                [uv, "venv", "-q", "--no-project", "--python", sys.executable, str(folder)],
                [*install, "transformers", "datasets", "jinja2"],
                [*install, "--no-deps", "trl"],
            ):
                subprocess.run(command, check=True)
            stamp.write_text(wanted)
    return python
