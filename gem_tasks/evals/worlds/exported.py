"""Worlds with tasks in files, as they travel with a dataset: `worlds/*.json`, each a `Replayable`."""

from pathlib import Path

from gem_tasks.errors import UserError
from gem_tasks.worlds.played import Replayable
from gem_tasks.worlds.reading import UnreadableWorldError, read


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
    try:
        return read(file).replayable
    except UnreadableWorldError as error:
        raise UserError(f"{file}: {error}", "Name a file that travels with a dataset, in its folder worlds.") from None
