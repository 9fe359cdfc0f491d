"""Worlds in files: what travels with a dataset, or the result of the stage `world`."""

import json
from pathlib import Path
from typing import Any, cast

from pydantic import Field, ValidationError

from gem_tasks.domain.base import Json
from gem_tasks.worlds.built import Built, Rule, world_id
from gem_tasks.worlds.played import Replayable

LARGEST = 16 << 20
"""Bytes of a file: a world's code and state have far lower limits."""


class UnreadableWorldError(Exception):
    """A file is no world; the message is the reason."""


class Shelved(Replayable):
    """A world from a file, with what is known of it."""

    rules: tuple[Rule, ...] = ()
    trials: dict[str, int] = Field(default_factory=dict)

    @property
    def world_id(self) -> str:
        """The id that its rows name."""
        return world_id(self.world)


def read(path: Path) -> Shelved:
    """The world of a file: a `Replayable` or a `Built` as JSON.

    Raises:
        FileNotFoundError: there is no such file.
        UnreadableWorldError: it is something else.
    """
    try:
        if path.stat().st_size > LARGEST:
            raise UnreadableWorldError(f"the file has more than {LARGEST >> 20} MB")
        found = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise
    except OSError as error:
        raise UnreadableWorldError(error.strerror or "the file cannot be read") from None
    except (ValueError, RecursionError):
        raise UnreadableWorldError("the file is not JSON") from None
    return shelved(found)


def shelved(found: Any) -> Shelved:
    """The same, of the parsed JSON.

    Raises:
        UnreadableWorldError: it is something else.
    """
    try:
        return Shelved.model_validate({"scenarios": {}, **cast(Json, found)} if isinstance(found, dict) else found)
    except (ValidationError, RecursionError) as error:
        why = error.errors()[0] if isinstance(error, ValidationError) else None
        told = f"{'.'.join(map(str, why['loc']))[:80]}: {why['msg'][:120]}" if why else "it is nested too deeply"
        raise UnreadableWorldError(f"the file holds no world: {told}") from None


def of_built(built: Built, scenarios: Json | None = None) -> Shelved:
    """A world of the store, with its scenarios by `{task}/{variant}`."""
    return Shelved.model_validate({**built.model_dump(), "scenarios": scenarios or {}})
