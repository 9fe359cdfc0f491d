"""For every (segment, recipe) exactly one outcome: accepted, rejected with a reason, or failed with a class."""

from typing import Literal

from pydantic import BaseModel

from gem_tasks.domain.base import Value
from gem_tasks.domain.chat import Usage
from gem_tasks.errors import RETRYABLE, ErrorClass

OutcomeKind = Literal["accepted", "rejected", "failed"]


class Accepted(Value):
    """The stage's own output, as JSON text; its type is known from the stage."""

    payload: str

    @classmethod
    def of(cls, output: BaseModel) -> "Accepted":
        """Serialises the output."""
        return cls(payload=output.model_dump_json())


class Rejected(Value):
    """The segment does not qualify; that is a result, not a fault."""

    reason: str
    """A short, stable, countable slug such as `not_procedural` or `judge_r1`."""
    detail: str = ""


class Malformed(Value):
    """The completion does not follow the format. `complaint` is sent back to the model once, word for word."""

    complaint: str


class Cost(Value):
    """What an outcome took."""

    calls: int = 0
    """HTTP requests, including those answered with 429 or 5xx."""
    usage: Usage = Usage()
    latency_s: float = 0.0
    """Sum over the completions that arrived."""


class Outcome(Value):
    """The one row that a stage produces for a segment."""

    segment_id: str
    kind: OutcomeKind
    reason: str | None = None
    """For rejected: the slug."""
    error_class: ErrorClass | None = None
    """For failed."""
    detail: str = ""
    """One line for people; for failed, what the parser or the endpoint said."""
    payload: str | None = None
    """For accepted: the stage's output as JSON."""
    raw: str | None = None
    """For failed: the last answer as it came, kept for inspection."""
    cost: Cost = Cost()

    @property
    def final(self) -> bool:
        """False when a later run should try again, because nothing about the segment was at fault."""
        return self.error_class not in RETRYABLE
