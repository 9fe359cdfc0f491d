"""What a check has to say about a trajectory."""

from enum import StrEnum

from gem_tasks.domain.base import Value


class Severity(StrEnum):
    """An error rejects the trajectory; a warning is only recorded."""

    ERROR = "error"
    WARNING = "warning"


class Finding(Value):
    """One fault, pointing at its place."""

    check: str
    """Id of the check, which is also the rejection reason and the documentation's anchor."""
    severity: Severity
    detail: str
    message_index: int | None = None
    """Index into `Trajectory.messages`; None when it concerns tools or the whole."""
    json_path: str = ""
    """Place inside the call's arguments or the tool's schema, `$.a.b[0]`; empty for the whole message."""
    kind: str = ""
    """Which fault of those that the check knows: a short, stable, countable slug such as `wrong_type`."""
    unsettled: bool = False
    """True when code cannot tell whether it is a fault: only these need the judge."""
