"""For every (segment, recipe) exactly one outcome: accepted, rejected with a reason, or failed with a class."""

from typing import Literal

from pydantic import BaseModel, Field

from gem_tasks.domain.base import Json, Value
from gem_tasks.domain.chat import Completion, FaultCounts, Usage, merged
from gem_tasks.errors import RETRYABLE, UNUSABLE, ErrorClass

OutcomeKind = Literal["accepted", "rejected", "failed"]


class Accepted(Value):
    """The stage's own output, as JSON text; its type is known from the stage."""

    payload: str
    measures: Json = Field(default_factory=dict)
    """Numbers and names for the lineage: see the view `gate_metrics`, and `Extraction.measures`."""

    @classmethod
    def of(cls, output: BaseModel) -> "Accepted":
        """Serialises the output."""
        return cls(payload=output.model_dump_json(), measures=getattr(output, "measures", {}))


class Rejected(Value):
    """The segment does not qualify; this is a result, not a fault."""

    reason: str
    """A short, stable, countable slug such as `not_procedural` or `judge_r1`."""
    detail: str = ""
    payload: str | None = None
    """The stage's output despite the rejection, as JSON text: for the validation, the judgement that refuses."""
    measures: Json = Field(default_factory=dict)
    """Stored in the lineage with it; see `Outcome.measures`."""


class Malformed(Value):
    """The completion does not follow the format. `complaint` is sent back to the model once, word for word."""

    complaint: str


class Cost(Value):
    """The cost of an outcome. Calls add up: `calls` is the sum of `faults`, plus one if there is a usable answer."""

    calls: int = 0
    """HTTP requests, regardless of their result."""
    faults: FaultCounts = Field(default_factory=dict)
    """Requests without a usable answer: transport faults, rate limits, unusable answers."""
    usage: Usage = Usage()
    latency_s: float = 0.0
    """Sum over all completions."""
    usd: float | None = None
    """Sum over the completions with a known price; None if there are none."""

    def plus(self, completion: Completion) -> "Cost":
        """Adds a completion."""
        return Cost(
            calls=self.calls + completion.calls,
            faults=merged(self.faults, completion.faults),
            usage=self.usage + completion.usage,
            latency_s=self.latency_s + completion.latency_s,
            usd=self.usd if completion.usd is None else (self.usd or 0.0) + completion.usd,
        )

    def wasted(self, faults: FaultCounts, calls: int) -> "Cost":
        """Adds the faults of `calls` further requests."""
        return self.model_copy(update={"calls": self.calls + calls, "faults": merged(self.faults, faults)})


class Outcome(Value):
    """The one row that a stage produces for a segment."""

    segment_id: str
    kind: OutcomeKind
    reason: str | None = None
    """The slug, if rejected."""
    error_class: ErrorClass | None = None
    """Set if failed."""
    detail: str = ""
    """One line for people; if failed, the message of the parser or the endpoint."""
    payload: str | None = None
    """The stage's output as JSON if accepted, or the judgement if a judge refused."""
    measures: Json = Field(default_factory=dict)
    """Figures for gates, and a prefilter's score of the segment. Stored only in the lineage."""
    raw: str | None = None
    """If failed: the unchanged last answer, kept for inspection."""
    thoughts: str | None = None
    """If accepted: the model's reasoning before the answer, if the endpoint shows it."""
    cost: Cost = Cost()
    doubtful: bool = False
    """If failed: it is not yet known whether the segment or the configuration is at fault."""

    @property
    def final(self) -> bool:
        """False if a later run should try again, because the segment may not be at fault."""
        return self.error_class not in RETRYABLE and not self.doubtful

    @property
    def answered(self) -> bool:
        """Whether the endpoint sent a completion for it, usable or not."""
        if self.kind == "failed":
            return not UNUSABLE.isdisjoint(self.cost.faults)
        return self.cost.calls > 0
