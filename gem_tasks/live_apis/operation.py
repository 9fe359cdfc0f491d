"""Operations of a live API, and its answers."""

from collections.abc import Awaitable, Callable
from typing import Any, Literal, cast

from pydantic import Field

from gem_tasks.domain.base import Json, Value

Place = Literal["path", "query", "form", "body", "whole_body", "argument"]
"""The location of a parameter; `whole_body` for a JSON body that is not an object, `argument` for MCP."""
Style = Literal["form", "comma", "space", "tab", "pipe", "deep", "json"]
"""How lists and objects are written as text: `a=1&a=2`, `a=1,2`, `a=1%202`, `a=1%092`, `a=1|2`, `a[0]=1`, `a=[1,2]`."""


class Slot(Value):
    """Where a parameter goes in a request."""

    place: Place
    name: str
    """The name there, which may be used in several places."""
    style: Style = "form"


class Credential(Value):
    """Where the key goes."""

    kind: Literal["bearer", "basic", "header", "query"]
    name: str = ""
    """Name of the header or of the query parameter."""


def properties_of(schema: Json) -> dict[str, Json]:
    """The properties of an object's schema; those that are not objects (`true`) say nothing."""
    found: Any = schema.get("properties")
    rows = cast("Json", found) if isinstance(found, dict) else {}
    return {name: cast("Json", part) if isinstance(part, dict) else {} for name, part in rows.items()}


class Operation(Value):
    """An operation of the API."""

    name: str
    """`operationId`, otherwise method and path; for MCP, the tool's name."""
    description: str = ""
    parameters: Json
    """JSON Schema of type object, self-contained. Each property is resolved; deeper ones may refer to `$defs`."""
    method: str = ""
    path: str = ""
    slots: dict[str, Slot] = Field(default_factory=dict)
    """By parameter."""
    body: Json | None = None
    """JSON Schema of the body as a whole, if it says more than its properties do (`oneOf`, `anyOf`, …)."""
    headers: dict[str, str | None] = Field(default_factory=dict)
    """Headers that every request needs, with the value that the description gives, or None."""
    credential: Credential | None = Credential(kind="bearer")
    """None: the operation needs no key."""
    unsupported: str = ""
    """Why calls cannot be sent although their arguments can be checked; empty if they can."""
    reads_only: bool = False
    """Whether the description says so; for HTTP, the method does."""

    @property
    def properties(self) -> dict[str, Json]:
        """Parameters with their schemas."""
        return properties_of(self.parameters)

    @property
    def required(self) -> list[str]:
        """Parameters that every call needs."""
        return list(self.parameters.get("required") or [])

    @property
    def writes(self) -> bool:
        """Whether a call may change something."""
        return not self.reads_only and self.method not in ("GET", "HEAD")

    @property
    def places(self) -> dict[str, Place]:
        """Locations by parameter."""
        return {name: slot.place for name, slot in self.slots.items()}


class Api(Value):
    """An API: its operations, and what cannot be used of its description."""

    title: str
    version: str = ""
    sha256: str = ""
    """Of the description, or of the tools that an MCP server lists: findings are kept by it."""
    operations: tuple[Operation, ...]
    unusable: dict[str, str] = Field(default_factory=dict)
    """Reasons, by operation or parameter."""
    servers: tuple[str, ...] = ()
    """As the description names them; never called without `--base-url`."""


class Reply(Value):
    """The API's answer to a call."""

    ok: bool
    reason: str = ""
    detail: str = ""
    body: Any = None
    """JSON, or None."""


Call = Callable[[Operation, Json], Awaitable[Reply]]
"""Makes one call; faults of network and server are replies, not exceptions."""
