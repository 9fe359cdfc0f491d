"""Finds a model's weights on this machine, or downloads them, so that the program that loads them needs no network.

From the hub come weights, configuration and tokenizer; never code, and never pickles.
"""

import os
import resource
from pathlib import Path
from typing import Any, cast

from gem_tasks.confine.job import Limits
from gem_tasks.corpus.sources.hub import route
from gem_tasks.errors import UserError, first_line

_WANTED = ["*.safetensors", "*.json", "*.jinja", "*.txt", "*.model", "*.tiktoken"]
_FIX = "Give a folder with --model, log in to the hub, or set HF_HOME to the folder that has them."
_CONTAINER = Path("/sys/fs/cgroup/memory.max")
_KEPT = ("CUDA_", "NVIDIA_", "NCCL_", "OMP_", "LD_LIBRARY_PATH")


def folder_of(name: str) -> Path:
    """The folder with a model's weights: the one named, or where the hub's cache has them.

    Raises:
        UserError: neither a folder nor the hub has the weights.
    """
    if Path(name).is_dir():
        return Path(name).resolve()  # what is checked is what is loaded, wherever a link may lead later
    import huggingface_hub
    from huggingface_hub.utils import disable_progress_bars

    route()
    disable_progress_bars()
    try:
        return Path(cast("Any", huggingface_hub).snapshot_download(name, allow_patterns=_WANTED))
    except (OSError, ValueError, RuntimeError) as error:
        raise UserError(
            f"Cannot get the weights of {name}: no such folder exists, and the hub reports: {first_line(error)[:200]}",
            _FIX,
        ) from None


def reads(folder: Path) -> tuple[Path, ...]:
    """The folders that have to be visible: a snapshot in the hub's cache consists of links to files outside it."""
    shared = blobs(folder)
    return (folder, shared) if shared else (folder,)


def blobs(folder: Path) -> Path | None:
    """The files that a snapshot in the hub's cache links to; None for any other folder."""
    shared = folder.parents[1] / "blobs" if len(folder.parents) > 1 else folder
    known = folder.parent.name == "snapshots" and shared.parent.name.startswith("models--")
    return shared if known and shared.is_dir() and not shared.is_symlink() else None


def environment() -> dict[str, str]:
    """Environment of programs that load weights: GPU and thread settings, and offline mode for the hub."""
    # On a busy machine threads that spin while they wait are several times slower than threads that sleep.
    kept = {name: value for name, value in os.environ.items() if name.startswith(_KEPT)}
    return {"OMP_WAIT_POLICY": "PASSIVE", **kept, "HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}


def library_folders() -> tuple[Path, ...]:
    """The folder of the machine's GPU libraries, if separate from the other libraries."""
    named = os.environ.get("LD_LIBRARY_PATH", "").split(os.pathsep)
    return tuple(Path(each) for each in named if each.startswith("/") and Path(each).is_dir())


def limits(gpus: bool) -> Limits:
    """Weights and optimizer may fill the machine; a GPU's driver reserves more addresses than there is memory."""
    memory_gb = None if gpus else _memory_bytes() / 1e9
    return Limits(memory_gb=memory_gb, processes=16384, open_files=65536, file_gb=None, scratch_gb=16)


def _memory_bytes() -> int:
    """Of the machine, or of the container if that has less."""
    machine = os.sysconf("SC_PHYS_PAGES") * resource.getpagesize()
    try:
        container = int(_CONTAINER.read_text(encoding="ascii"))
    except (OSError, ValueError):  # no such limit, or the word `max`
        return machine
    return min(machine, container)
