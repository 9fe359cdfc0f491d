"""Operations of a live API, and its answers."""

from collections.abc import Awaitable, Callable
from typing import Any, Literal

from pydantic import Field

from gem_tasks.domain.base import Json, Value

Place = Literal["path", "query", "body", "argument"]
"""The location of a parameter; `argument` for MCP."""


class Operation(Value):
    """An operation of the API."""

    name: str
    """`operationId`, otherwise method and path; for MCP, the tool's name."""
    description: str = ""
    parameters: Json
    """JSON Schema of type object, self-contained."""
    method: str = ""
    path: str = ""
    places: dict[str, Place] = Field(default_factory=dict)
    """Locations by parameter."""

    @property
    def properties(self) -> dict[str, Json]:
        """Parameters with their schemas."""
        return self.parameters.get("properties") or {}

    @property
    def required(self) -> list[str]:
        """Parameters that every call needs."""
        return list(self.parameters.get("required") or [])


class Reply(Value):
    """The API's answer to a call."""

    ok: bool
    reason: str = ""
    detail: str = ""
    body: Any = None
    """JSON, or None."""


Call = Callable[[Operation, Json], Awaitable[Reply]]
"""Makes one call; faults of network and server are replies, not exceptions."""
