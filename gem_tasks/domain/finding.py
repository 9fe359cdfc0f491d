"""A check's statement about a trajectory."""

from enum import StrEnum
from typing import Any, cast

from pydantic import model_validator

from gem_tasks.domain.base import Json, Value


class Severity(StrEnum):
    """The effect of a finding on its trajectory."""

    ERROR = "error"
    """Rejects it without a judge: the conversation itself proves the fault."""
    OPEN = "open"
    """Goes to the judge as a numbered question: code cannot tell whether it is a fault."""
    WARNING = "warning"
    """Only recorded."""


class Finding(Value):
    """One fault and its place."""

    check: str
    """Id of the check, which is also the rejection reason and the documentation's anchor."""
    severity: Severity
    detail: str
    message_index: int | None = None
    """Index into `Trajectory.messages`; None if it is about tools or the whole."""
    json_path: str = ""
    """Place inside the call's arguments or the tool's schema, `$.a.b[0]`; empty for the whole message."""
    kind: str = ""
    """Which of the check's faults: a short, stable, countable slug such as `wrong_type`."""

    @model_validator(mode="before")
    @classmethod
    def _read_old(cls, data: Any) -> Any:
        """Until checks version 3, an open finding was stored as a warning with `unsettled`."""
        old = dict(cast(Json, data)) if isinstance(data, dict) else {}
        if "unsettled" not in old:
            return cast(Any, data)
        return {**old, "severity": Severity.OPEN} if old.pop("unsettled") else old
