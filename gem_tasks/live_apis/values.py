"""What grounding deals in: real operations, how a synthesized tool was matched to one, and what became of each call."""

from collections.abc import Awaitable, Callable
from typing import Any, Literal

from pydantic import Field

from gem_tasks.domain.base import Json, Value

Place = Literal["path", "query", "body", "argument"]
"""Where a parameter goes; `argument` for MCP."""
Mode = Literal["dry-run", "sandbox"]


class Operation(Value):
    """Something the API can do."""

    name: str
    """`operationId`, else method and path; an MCP tool's name."""
    description: str = ""
    parameters: Json
    """JSON Schema of type object, self-contained."""
    method: str = ""
    path: str = ""
    places: dict[str, Place] = Field(default_factory=dict)
    """By parameter."""

    @property
    def properties(self) -> dict[str, Json]:
        """Parameters with their schemas."""
        return self.parameters.get("properties") or {}

    @property
    def required(self) -> list[str]:
        """Parameters that every call needs."""
        return list(self.parameters.get("required") or [])


class Match(Value):
    """A synthesized tool and the operation it most resembles, with the parts of the score."""

    tool: str
    operation: str | None
    """None when nothing is alike enough."""
    score: float
    name: float
    description: float
    parameters: float
    arguments: dict[str, str] = Field(default_factory=dict)
    """Parameter of the operation by parameter of the tool."""
    runner_up: str | None = None


class Outcome(Value):
    """What became of one call."""

    trajectory_id: str
    tool: str
    operation: str | None
    ok: bool
    reason: str = ""
    """Why not: `unmapped_tool`, `missing_argument`, `invalid_argument`, `unsafe_path`, `http_404`, `timeout`, …"""
    detail: str = ""
    meant_to_fail: bool = False
    """The conversation itself has this call answered with an error."""


class Reply(Value):
    """What the API answered."""

    ok: bool
    reason: str = ""
    detail: str = ""
    body: Any = None
    """JSON, or None."""


Call = Callable[[Operation, Json], Awaitable[Reply]]
"""Makes one call; faults of network and server are replies, not exceptions."""
