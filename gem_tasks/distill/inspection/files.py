"""Which files a model's folder may hold: what loaders read as data, and what only people read."""

import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path

from gem_tasks.distill.inspection.refused import RefusedError

_MB = 1 << 20
LOADED = {
    ".safetensors": None, ".json": 64 * _MB, ".jinja": _MB, ".txt": 64 * _MB, ".model": 64 * _MB, ".tiktoken": 64 * _MB,
}  # fmt: skip
"""The most bytes of a file by its ending. The largest tokenizers have 35 MB."""
_FOR_PEOPLE = frozenset({".md", ".rst", ".pdf", ".png", ".jpg", ".jpeg", ".svg", ".gif", ".webp"})
_PICKLES = frozenset({".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".joblib", ".npy", ".npz", ".h5", ".msgpack"})
_CODE = frozenset({".py", ".pyc", ".pyi", ".so", ".pyd", ".dll", ".sh", ".ipynb"})
_WITHOUT_ENDING = re.compile("[A-Z][A-Z_-]*")
"""LICENSE, NOTICE and the like."""
_MOST_FILES, _MOST_DEPTH = 10_000, 6
_OTHER_COPY = "Remove it; weights have to be safetensors files."


def files(folder: Path, shared: Path | None = None, *, trusted: bool = False) -> list[Path]:
    """Checks all names, and returns the files that loaders read.

    Hidden files are passed over: no loader opens them, as `tensors.py` sees to.

    Args:
        folder: of the model.
        shared: the folder to which links may lead: that of the hub's cache.
        trusted: code and pickles may be there.

    Raises:
        RefusedError: a name, a link, a size or their number is not permitted.
    """
    found: list[Path] = []
    for path, entry in _entries(folder):
        what = entry.stat(follow_symlinks=False)
        if stat.S_ISLNK(what.st_mode):
            what = _target(path, shared)
        if stat.S_ISDIR(what.st_mode):
            continue
        name = path.relative_to(folder).as_posix()
        if not stat.S_ISREG(what.st_mode):
            raise RefusedError(f"{name} is neither a file nor a folder", "Remove it.")
        ending = path.suffix.lower()
        if ending in LOADED:
            if what.st_size > (LOADED[ending] or what.st_size):
                raise RefusedError(f"{name} has {what.st_size} bytes; the limit is {LOADED[ending]}")
            found.append(path)
        elif (fault := _unwanted(name, path, ending)) and not (trusted and fault.code):
            raise fault
    return found


def _unwanted(name: str, path: Path, ending: str) -> RefusedError | None:
    if ending in _FOR_PEOPLE or _WITHOUT_ENDING.fullmatch(path.name):
        return None
    if ending in _PICKLES:
        return RefusedError(f"{name} can be a pickle, which runs code when it is read", code=True)
    if ending in _CODE:
        return RefusedError(f"{name} is code", code=True)
    if ending == ".gguf":
        return RefusedError(f"{name} is GGUF, which GEM does not serve", "Serve it with llama.cpp instead.")
    return RefusedError(f"{name} is not a file that models need", _OTHER_COPY)


def _target(path: Path, shared: Path | None) -> os.stat_result:
    """What a link of the hub's cache leads to.

    Raises:
        RefusedError: it leads elsewhere, or nowhere.
    """
    try:
        target = path.resolve(strict=True)
        if shared and target.parent == shared.resolve():
            return target.stat()
    except (OSError, RuntimeError):
        pass
    raise RefusedError(f"{path.name} is a link out of the folder", "Put a copy of the file in its place.")


def _entries(folder: Path) -> Iterator[tuple[Path, "os.DirEntry[str]"]]:
    """Everything below the folder that is not hidden; no link is followed.

    Raises:
        RefusedError: there is too much.
    """
    waiting, count = [(folder, 1)], 0
    while waiting:
        place, depth = waiting.pop()
        with os.scandir(place) as entries:
            for entry in sorted(entries, key=lambda each: each.name):
                count += 1
                if count > _MOST_FILES or depth > _MOST_DEPTH:
                    raise RefusedError(f"it holds over {_MOST_FILES} files, or {_MOST_DEPTH} folders in a row")
                if entry.name.startswith("."):
                    continue
                yield place / entry.name, entry
                if entry.is_dir(follow_symlinks=False):
                    waiting.append((place / entry.name, depth + 1))
