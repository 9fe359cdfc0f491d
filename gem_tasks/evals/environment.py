"""Harnesses pin packages that conflict with GEM's, so each has a separate environment in GEM_HOME, made on demand.

Its packages are those of `envs/NAME/requirements.txt`, locked and hashed. The list is complete, so `--no-deps` skips
resolution and packages that a harness requires but does not use here (BFCL's torch, 5 GB). The stamp
is the lock's hash, written last: an interrupted or outdated installation is repeated, a current one costs a read.
"""

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from gem_tasks.errors import UserError
from gem_tasks.evals.progress import Progress, silent
from gem_tasks.proxies import for_programs
from gem_tasks.redaction import beginning
from gem_tasks.resources import shipped

EnvironmentName = Literal["bfcl", "tau2", "tool-eval-bench", "train", "vllm"]
_STAMP = "installed.sha256"
_LIMIT_S = 1800
_PYTHONS = ("3.11", "3.12")
"""Versions for which the locked packages have wheels."""


def python_of(home: Path, name: EnvironmentName) -> Path:
    """Path of its interpreter, which need not exist."""
    return _folder(home, name) / "bin" / "python"


def installed(home: Path, name: EnvironmentName) -> bool:
    """Whether the environment is installed, with the packages of the lock."""
    stamp = _folder(home, name) / _STAMP
    return stamp.is_file() and stamp.read_text(encoding="utf-8") == _wanted(name)


def ensure(home: Path, name: EnvironmentName, progress: Progress = silent) -> Path:
    """Installs the environment if necessary; returns its interpreter.

    Raises:
        UserError: the packages cannot be installed; the message has the installer's last line.
    """
    if not installed(home, name):
        folder = _folder(home, name)
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.parent.chmod(0o755)  # third-party programs, which may run as another user
        with folder.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # another task may be installing it
            if not installed(home, name):
                _install(home, name, progress)
    return python_of(home, name)


def _install(home: Path, name: EnvironmentName, progress: Progress) -> None:
    folder, lock = _folder(home, name), shipped("envs") / name / "requirements.txt"
    count = sum(line.endswith("\\") and "==" in line for line in lock.read_text(encoding="utf-8").splitlines())
    progress(f"install {name}: {count} packages into {folder}", 0, 0)
    if folder.exists() and any(folder.iterdir()) and not (folder / "pyvenv.cfg").is_file():
        raise UserError(f"{folder} is not a Python environment", "Move the folder, or choose another GEM_HOME.")
    shutil.rmtree(folder, ignore_errors=True)
    wanted = ["--no-deps", "--require-hashes", "-r", str(lock)]
    if uv := _uv(home):
        _run([uv, "venv", "-q", "--seed", "--no-project", *_uv_python(), str(folder)], name)
        _install_torch(home, name, progress)
        _run([uv, "pip", "install", "-q", "--python", str(python_of(home, name)), *wanted], name)
    else:
        _run([_python(), "-m", "venv", str(folder)], name)
        _install_torch(home, name, progress)
        _run([str(python_of(home, name)), "-m", "pip", "install", "-q", *wanted], name)
    (folder / _STAMP).write_text(_wanted(name), encoding="utf-8")
    progress(f"install {name}", count, count)


def _install_torch(home: Path, name: EnvironmentName, progress: Progress) -> None:
    """PyTorch by pip, which follows its index settings: the build of `torch-pypi.lock`, by hash.

    That build has CUDA, and runs on CPUs too. `GEM_TORCH_LOCK` names another file of hashes, for the build of another
    index; `GEM_TORCH_LOCK=none` installs what the index has of the version, unchecked.
    """
    wanted = shipped("envs") / name / "torch.txt"
    if wanted.is_file():
        lock = os.environ.get("GEM_TORCH_LOCK") or str(wanted.with_name("torch-pypi.lock"))
        checked = lock != "none"
        how = "by hash" if checked else "not checked by hash"
        progress(f"install {name}: {wanted.read_text(encoding='utf-8').strip()}, {how}", 0, 0)
        pip = [str(python_of(home, name)), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
        _run([*pip, *(("--no-deps", "--require-hashes", "-r", lock) if checked else ("-r", str(wanted)))], name)


def _run(command: Sequence[str], name: str) -> None:
    failed = f"GEM could not install the environment {name}"
    run_installer(command, f"Installing {name}", failed, f"gem eval install {name}", {"VIRTUAL_ENV": ""})


def run_installer(
    command: Sequence[str], doing: str, failed: str, again: str, variables: Mapping[str, str] = MappingProxyType({})
) -> None:
    """Runs pip or uv.

    Args:
        command: our own command, no shell.
        doing: the activity, for a time-out.
        failed: what went wrong, before the installer's reason.
        again: the command to repeat.
        variables: further ones of the environment.

    Raises:
        UserError: it failed; the message has the installer's reason.
    """
    # Readable for the user of confined programs, regardless of this process's umask; parent folders stay private.
    own = {**for_programs(os.environ), "UV_NO_PROGRESS": "1", **variables}
    try:
        done = subprocess.run(  # noqa: S603 - our own command, no shell
            command, capture_output=True, text=True, check=False, timeout=_LIMIT_S, env=own, umask=0o022
        )
    except subprocess.TimeoutExpired:
        raise UserError(f"{doing} took over {_LIMIT_S // 60} minutes", f"Run it again: {again}.") from None
    if done.returncode:
        raise UserError(f"{failed}: {beginning(fault_of(done.stderr), 300)}", f"Fix the problem, then run: {again}")


def fault_of(stderr: str) -> str:
    """The line in which an installer says why it failed.

    If the index does not answer, pip says so only above its last line, that there is no such package.
    """
    lines = stderr.strip().splitlines() or ["the installer printed nothing"]
    broken = [line for line in lines if "connection broken" in line] if "No matching distribution" in lines[-1] else []
    return (broken or lines)[-1]


def _folder(home: Path, name: EnvironmentName) -> Path:
    return home.absolute() / "envs" / name


def _wanted(name: EnvironmentName) -> str:
    return sha256((shipped("envs") / name / "requirements.txt").read_bytes()).hexdigest()


def _uv(home: Path) -> str | None:
    own = home.absolute() / "uv" / "bin" / "uv"
    return shutil.which("uv") or (str(own) if own.exists() else None)


def _current() -> str:
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def _uv_python() -> list[str]:
    """This process's Python if its version suits, because another one may have to be installed first."""
    return ["--python", sys.executable if _current() in _PYTHONS else ">=3.11,<3.13"]


def _python() -> str:
    if _current() in _PYTHONS:
        return sys.executable
    for version in _PYTHONS:
        if found := shutil.which(f"python{version}"):
            return found
    raise UserError("The harnesses need Python 3.11 or 3.12", "Install one of them, or uv.")
