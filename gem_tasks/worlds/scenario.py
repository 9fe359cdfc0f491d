"""What happens around a conversation in a world: declared events of others, and declared faults of calls."""

from typing import Any, Literal, cast

from pydantic import Field, model_validator

from gem_tasks.domain.base import Json, Value


class Trigger(Value):
    """When an event happens by itself: once, at the first match. Either `tool` or `turn` is set."""

    tool: str | None = None
    when: Literal["before", "after"] = "after"
    arguments: Json = Field(default_factory=dict)
    """Arguments that the call must have; it may have others."""
    turn: int | None = Field(default=None, ge=1)
    """Happens before this message of the user, counted from 1."""
    needs: frozenset[str] = frozenset()
    """Events that must have happened before."""

    @model_validator(mode="after")
    def _one(self) -> "Trigger":
        if (self.tool is None) == (self.turn is None):
            raise ValueError("a trigger has either a tool or a turn")
        return self


class Event(Value):
    """A change from outside, such as a finished job, or a deed of the user in an application."""

    code: str = Field(max_length=16 << 10)
    """A function body over `state`; the world's functions are in scope."""
    trigger: Trigger | None = None
    """None: a deed, which happens only when a step names it."""


_MANY = 1 << 30


class Fault(Value):
    """A call that fails although its arguments are right."""

    tool: str
    kind: Literal["timeout", "conflict", "rate_limited", "unavailable"]
    """`timeout`: carried out, but the answer is lost. The others: not carried out."""
    arguments: Json = Field(default_factory=dict)
    needs: frozenset[str] = frozenset()
    """Events that must have happened before."""
    times: int = Field(default=1, ge=1)
    """How many matching calls fail, at most. With `seconds`, it need not be given: as many as there are."""
    seconds: int | None = Field(default=None, ge=1)
    """The fault ends when the runtime has advanced the clock so much since the first call that failed."""
    error: Json | None = None
    """The error to answer; None: a usual one."""

    @model_validator(mode="before")
    @classmethod
    def _as_many_as_there_are(cls, given: Any) -> Any:
        if isinstance(given, dict) and cast("Json", given).get("seconds") is not None:
            return {"times": _MANY, **cast("Json", given)}
        return cast("Any", given)

    @property
    def answer(self) -> Json:
        """The result of the failing call."""
        code, message = _USUAL[self.kind]
        return {"error": self.error or {"code": code, "message": message}}


_USUAL = {
    "timeout": ("TIMEOUT", "No answer within 30 s."),
    "conflict": ("CONFLICT", "409: the record was changed meanwhile."),
    "rate_limited": ("RATE_LIMITED", "429: too many requests, try again later."),
    "unavailable": ("UNAVAILABLE", "503: the service did not accept the request."),
}


class Scenario(Value):
    """Events by name, and faults. The players see none of it."""

    events: dict[str, Event] = Field(default_factory=dict)
    faults: tuple[Fault, ...] = ()


def contains(given: Any, wanted: Any) -> bool:
    """Whether arguments have all wanted values, also in nested objects."""
    if not isinstance(wanted, dict):
        return type(given) is type(wanted) and given == wanted
    if not isinstance(given, dict):
        return False
    has = cast("Json", given)
    return all(key in has and contains(has[key], value) for key, value in cast("Json", wanted).items())
