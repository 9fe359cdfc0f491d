"""A world: data, code and tools of a small system. Plain values."""

from typing import Literal

from pydantic import Field, model_validator

from gem_tasks.domain.base import Json, Value
from gem_tasks.domain.workflow import TOOL_NAME
from gem_tasks.worlds.names import collision


class Tool(Value):
    """A tool of a world; the code has a function of its name (`function_name`)."""

    name: str = Field(pattern=TOOL_NAME.pattern)
    parameters: Json
    """JSON Schema of its arguments."""
    description: str = ""
    """What the assistant is told of it."""
    reads: bool = False
    """Whether it only reads: it gets a frozen state."""


class IdFormat(Value):
    """How `nextId` numbers one kind of record."""

    format: str = Field(pattern=r"\{(?:n|hex)(?::\d{1,2})?\}")
    """With `{n}`, `{n:6}` (decimal digits) or `{hex:6}`."""
    next: int = Field(ge=0)
    step: int = Field(default=1, ge=1)


class Clock(Value):
    """Seconds by which `state.now` advances."""

    per_call_s: int = Field(default=0, ge=0)
    """Before each call."""
    per_turn_s: int = Field(default=0, ge=0)
    """Before each message of the user."""


class Limits(Value):
    """Limits of one call; texts in characters of JSON."""

    seconds: float = Field(default=0.25, gt=0)
    """CPU time."""
    memory: int = Field(default=64 << 20, ge=1 << 20)
    """Bytes of the engine's heap."""
    result: int = 64 << 10
    state: int = 1 << 20


class World(Value):
    """An executable system.

    A state is an object of JSON tables by name; `now`, if present, is an ISO time in UTC that the runtime advances.
    """

    state: Json
    code: str = Field(max_length=256 << 10)
    tools: tuple[Tool, ...]
    ids: dict[str, IdFormat] = Field(default_factory=dict)
    """By prefix. Other prefixes begin at a number that depends on the seed."""
    clock: Clock = Clock()
    limits: Limits = Limits()

    @model_validator(mode="after")
    def _functions_differ(self) -> "World":
        if told := collision(tool.name for tool in self.tools):
            raise ValueError(told)
        return self


FaultReason = Literal[
    "threw", "frozen", "timeout", "memory", "stack", "crashed", "no_function", "not_an_object", "result_not_json",
    "result_too_large", "state_not_json", "state_too_large", "unenforced",
]  # fmt: skip
"""Why a world, not its caller, is at fault:

- `threw`: its code threw; `no_function`: the tool has none.
- `frozen`: it wrote to the state in a read, or redefined an object of the language.
- `timeout`, `memory`, `stack`: beyond its limits; `crashed`: the engine's process ended or was killed.
- `not_an_object`, `result_not_json`, `result_too_large`, `state_not_json`, `state_too_large`: as they say.
- `unenforced`: it accepted arguments that violate a limit of the tool's schema.
"""
