"""The worlds that travel with a dataset: `worlds/{id}.json` beside its files."""

import re
from pathlib import Path

from gem_tasks.lint.files import WORLDS
from gem_tasks.worlds.reading import Shelved, UnreadableWorldError, read

_ID = re.compile(r"[0-9a-f]{24}")


class NoWorldError(LookupError):
    """No file of this world was found."""


def find(world: str, folders: tuple[Path, ...]) -> Shelved:
    """The world of this id, from the first folder that has it.

    Raises:
        NoWorldError: none has it.
        UnreadableWorldError: its file cannot be read, or holds another world.
    """
    if not _ID.fullmatch(world):
        raise UnreadableWorldError("the row's id of the world is none")
    for folder in folders:
        try:
            found = read(folder / f"{world}.json")
        except FileNotFoundError:
            continue
        if found.world_id != world:
            raise UnreadableWorldError(f"the file holds another world: {found.world_id}")
        return found
    raise NoWorldError(f"no file {world}.json in {', '.join(map(str, folders)) or 'any folder of worlds'}")


def beside(origin: str) -> tuple[Path, ...]:
    """Folders in which a row's world may lie: that of its file, and the one above (`data/train.parquet`)."""
    file = Path(origin.rpartition(":")[0])
    if origin.startswith("hf://"):
        return ()
    return tuple(dict.fromkeys(folder / WORLDS for folder in (file.parent, file.absolute().parent.parent)))
