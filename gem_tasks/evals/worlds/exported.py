"""Worlds with tasks in files, as they travel with a dataset: `worlds/*.json`, each a `Replayable`."""

from pathlib import Path

from pydantic import ValidationError

from gem_tasks.errors import UserError
from gem_tasks.worlds.played import Replayable

LARGEST = 16 << 20
"""Bytes of a file."""


def exported(path: Path) -> list[Replayable]:
    """The worlds of a file, of a folder, or of the folder `worlds` in it.

    Raises:
        UserError: there is none, or a file is no world.
    """
    folder = path / "worlds" if (path / "worlds").is_dir() else path
    files = sorted(folder.glob("*.json")) if folder.is_dir() else [path]
    if not files or not all(file.is_file() for file in files):
        raise UserError(f"{path} has no worlds", "Name a file of a world, or a folder with worlds/*.json.")
    return list(map(_read, files))


def _read(file: Path) -> Replayable:
    if file.stat().st_size > LARGEST:
        raise UserError(f"{file} has more than {LARGEST >> 20} MB", "Name a file of a world.")
    try:
        return Replayable.model_validate_json(file.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        raise UserError(
            f"{file} is not a world: {'.'.join(map(str, first['loc']))[:80]}: {first['msg'][:120]}",
            "Name a file that travels with a dataset, in its folder worlds.",
        ) from None
