"""Finds a world: a file, or a world of the published datasets by its id."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from pydantic import ValidationError

from gem_tasks.errors import UserError
from gem_tasks.settings import Settings
from gem_tasks.store.keys import dataset_key
from gem_tasks.worlds.played import Replayable
from gem_tasks.worlds.reading import Shelved, UnreadableWorldError, read, shelved

if TYPE_CHECKING:
    from gem_tasks.pipeline.workspace import Workspace

_FIX = "Give a world's JSON file, or its id: see `gem world list`."


def find(named: str, settings: Settings) -> Shelved:
    """The world of a file, or of an id or its first characters; files need no services.

    Raises:
        UserError: there is none, more than one, or it cannot be read.
    """
    path = Path(named)
    try:
        if path.suffix == ".json" or path.exists():
            return read(path)
        work = _opened(settings)
        keys = {key.rpartition("/")[2]: key for key in _keys(work) if key.rpartition("/")[2].startswith(named)}
        if len(keys) != 1:
            cause = "No world's id begins" if not keys else f"The ids of {len(keys)} worlds begin"
            raise UserError(f"{cause} with {named!r}", _FIX)
        return shelved(json.loads(work.fetch(*keys.values())))
    except FileNotFoundError:
        raise UserError(f"{path} does not exist", _FIX) from None
    except UnreadableWorldError as error:
        raise UserError(f"{named} is no world: {error}", _FIX) from None


def stored(settings: Settings) -> list[str]:
    """Ids of the worlds of all current versions of the dataset."""
    return sorted({key.rpartition("/")[2].removesuffix(".json") for key in _keys(_opened(settings))})


class Chosen(NamedTuple):
    """Worlds with tasks for environments."""

    worlds: list[Replayable]
    left_out: int
    """Worlds of documents on the other side of the split."""


def for_training(settings: Settings, partition: str | None = None, *, held_out: bool = False) -> Chosen:
    """Worlds of documents that no set holds out of its training; with `held_out`, only the others.

    Raises:
        UserError: a world cannot be read.
    """
    work = _opened(settings)
    with work.ledger() as ledger:
        others = ledger.evaluations.held_out_texts()
    by_name = {key.rpartition("/")[2]: key for key in _keys(work, partition)}
    found = [_replayable(work, key) for key in by_name.values()]
    kept = [each for each in found if (each.segment_id in others) == held_out]
    return Chosen(kept, len(found) - len(kept))


def _replayable(work: "Workspace", key: str) -> Replayable:
    try:
        return Replayable.model_validate_json(work.fetch(key))
    except ValidationError as error:
        fix = "Publish the partition again: gem backfill."
        raise UserError(f"{key} is no world: {error.errors()[0]['msg']}", fix) from None


def _opened(settings: Settings) -> "Workspace":
    from gem_tasks.pipeline.workspace import Workspace  # takes longer than to serve a file

    return Workspace.open(settings)


def _keys(work: "Workspace", partition: str | None = None) -> Iterator[str]:
    with work.ledger() as ledger:
        versions = ledger.datasets.current(partition)
    for version in versions:
        yield from work.store.list(dataset_key(version, "worlds/"))
