"""The output of the stage `world`: a world that passed its trials, and where its rules come from."""

import json
from functools import cached_property
from hashlib import sha256

from pydantic import Field

from gem_tasks.domain.base import Json, Value
from gem_tasks.worlds.steps import Call
from gem_tasks.worlds.world import World


class Rule(Value):
    """One rule that the code enforces."""

    text: str
    quote: str | None = None
    """The words of the source text; None: the model invented the rule."""
    span: tuple[int, int] | None = None
    """Start and end of the quotation in the segment's text, in characters; None if invented."""
    tools: tuple[str, ...] = ()
    """Tools that enforce it."""


class Built(Value):
    """An accepted world."""

    world: World
    rules: tuple[Rule, ...] = ()
    run: tuple[Call, ...] = ()
    """Calls that succeed in order from the first state; `"$3.items.0.id"` is a path into the third call's result."""
    trials: dict[str, int] = Field(default_factory=dict)
    """Number of trials that it passed, by kind."""

    @cached_property
    def world_id(self) -> str:
        """Hash of the world: equal worlds have equal ids."""
        return world_id(self.world)

    @property
    def measures(self) -> Json:
        """For the lineage."""
        return {"world": self.world_id, "tables": len(self.world.state), "rules": len(self.rules)}


def world_id(world: World) -> str:
    """24 hex digits. Defaults do not count, so that a new field of worlds leaves old ids as they are."""
    return sha256(
        json.dumps(world.model_dump(mode="json", exclude_defaults=True), sort_keys=True).encode()
    ).hexdigest()[:24]
