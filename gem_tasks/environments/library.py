"""Finds a world: a file, which needs no services, or a world of the store by its id."""

from collections.abc import Iterator
from pathlib import Path

from gem_tasks.errors import UserError
from gem_tasks.settings import Settings
from gem_tasks.worlds.reading import Shelved, UnreadableWorldError, read

_FIX = "Give a world's JSON file, or its id: see `gem world list`."


def find(named: str, settings: Settings) -> Shelved:
    """The world of a file, or of an id or its first characters.

    Raises:
        UserError: there is none, more than one, or it cannot be read.
    """
    path = Path(named)
    try:
        if path.suffix == ".json" or path.exists():
            return read(path)
    except FileNotFoundError:
        raise UserError(f"{path} does not exist", _FIX) from None
    except UnreadableWorldError as error:
        raise UserError(f"{named} is no world: {error}", _FIX) from None
    found = {each.world_id: each for each in stored(settings) if each.world_id.startswith(named)}
    if len(found) != 1:
        cause = "No world's id begins" if not found else f"The ids of {len(found)} worlds begin"
        raise UserError(f"{cause} with {named!r}", _FIX)
    return next(iter(found.values()))


def stored(settings: Settings) -> Iterator[Shelved]:
    """All worlds of the store; one may come twice.

    Raises:
        UserError: one cannot be read.
    """
    from gem_tasks.environments.stored import worlds_of  # takes longer than to serve a file
    from gem_tasks.pipeline.workspace import Workspace

    try:
        yield from worlds_of(Workspace.open(settings))
    except UnreadableWorldError as error:
        raise UserError(f"A published world cannot be read: {error}", "Publish its partition again.") from None
