"""Worlds in files: what travels with a dataset, or the result of the stage `world`."""

import json
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from gem_tasks.domain.base import Json, Value
from gem_tasks.domain.workflow import ToolSpec
from gem_tasks.worlds.built import Built
from gem_tasks.worlds.played import Replayable
from gem_tasks.worlds.scenario import Scenario
from gem_tasks.worlds.task import Task
from gem_tasks.worlds.world import World

LARGEST = 16 << 20
"""Bytes of a file: a world's code and state have far lower limits."""

_TRAVELS = ("scenarios", "tools", "tasks", "segment_id")
"""What a file of a dataset has beside the world."""


class UnreadableWorldError(Exception):
    """A file is no world; the message is the reason."""


class Shelved(Value):
    """A world from a file, with what is known of it."""

    built: Built
    scenarios: dict[str, Scenario] = Field(default_factory=dict)
    """By `{task}/{variant}`."""
    tools: tuple[ToolSpec, ...] = ()
    """The tools with descriptions."""
    tasks: tuple[Task, ...] = ()
    """What users want in it."""
    segment_id: str = ""
    """The text that it was made from."""

    @property
    def world(self) -> World:
        """The world itself."""
        return self.built.world

    @property
    def world_id(self) -> str:
        """The id that its rows name."""
        return self.built.world_id

    @property
    def replayable(self) -> Replayable:
        """Without what only its trials and rules say."""
        return Replayable(world=self.world, **{name: getattr(self, name) for name in _TRAVELS})

    def described(self, tool: str) -> str:
        """What an assistant is told of a tool; empty: nothing is known."""
        told = {each.name: each.description for each in (*self.world.tools, *self.tools) if each.description}
        return told.get(tool, "")

    def as_plain(self) -> Json:
        """All of it, as JSON."""
        return {**self.built.model_dump(mode="json"), **self.model_dump(mode="json", exclude={"built"})}


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
        if isinstance(found, dict) and "scenarios" in found:
            kept = Replayable.model_validate(found)
            return Shelved(built=Built(world=kept.world), **{name: getattr(kept, name) for name in _TRAVELS})
        return Shelved(built=Built.model_validate(found))
    except (ValidationError, RecursionError) as error:
        why = error.errors()[0] if isinstance(error, ValidationError) else None
        told = f"{'.'.join(map(str, why['loc']))[:80]}: {why['msg'][:120]}" if why else "it is nested too deeply"
        raise UnreadableWorldError(f"the file holds no world: {told}") from None
