"""For every (segment, recipe) exactly one outcome: accepted, rejected with a reason, or failed with a class."""

from typing import Literal

from pydantic import BaseModel, Field

from gem_tasks.domain.base import Json, Value
from gem_tasks.domain.chat import Completion, FaultCounts, Usage, merged
from gem_tasks.domain.trajectory import Trajectory
from gem_tasks.errors import RETRYABLE, UNUSABLE, ErrorClass

OutcomeKind = Literal["accepted", "rejected", "failed"]


class Accepted(Value):
    """The stage's own output, as JSON text; its type is known from the stage."""

    payload: str
    measures: Json = Field(default_factory=dict)
    """Numbers and names that gates look at; see the view `gate_metrics`."""

    @classmethod
    def of(cls, output: BaseModel) -> "Accepted":
        """Serialises the output."""
        measures = output.measures if isinstance(output, Trajectory) else {}
        return cls(payload=output.model_dump_json(), measures=measures)


class Rejected(Value):
    """The segment does not qualify; that is a result, not a fault."""

    reason: str
    """A short, stable, countable slug such as `not_procedural` or `judge_r1`."""
    detail: str = ""
    payload: str | None = None
    """What the stage found all the same, as JSON text: of the validation the judgement that refuses."""
    measures: Json = Field(default_factory=dict)
    """What the lineage keeps beside it; see `Outcome.measures`."""


class Malformed(Value):
    """The completion does not follow the format. `complaint` is sent back to the model once, word for word."""

    complaint: str


class Cost(Value):
    """What an outcome took. Calls add up: `calls` is the sum of `faults`, plus one when there is a usable answer."""

    calls: int = 0
    """HTTP requests, whatever came of them."""
    faults: FaultCounts = Field(default_factory=dict)
    """Those that brought nothing usable: transport faults, rate limits, unusable answers."""
    usage: Usage = Usage()
    latency_s: float = 0.0
    """Sum over the completions that arrived."""
    usd: float | None = None
    """Sum over the completions whose price is known; None when none is."""

    def plus(self, completion: Completion) -> "Cost":
        """With one more completion."""
        return Cost(
            calls=self.calls + completion.calls,
            faults=merged(self.faults, completion.faults),
            usage=self.usage + completion.usage,
            latency_s=self.latency_s + completion.latency_s,
            usd=self.usd if completion.usd is None else (self.usd or 0.0) + completion.usd,
        )

    def wasted(self, faults: FaultCounts, calls: int) -> "Cost":
        """With faults of `calls` further requests."""
        return self.model_copy(update={"calls": self.calls + calls, "faults": merged(self.faults, faults)})


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
    """The stage's output as JSON: of what was accepted, and the judgement of what a judge refused."""
    measures: Json = Field(default_factory=dict)
    """What gates look at, and what a prefilter thought of the segment. Kept in the lineage only."""
    raw: str | None = None
    """For failed: the last answer as it came, kept for inspection."""
    thoughts: str | None = None
    """For accepted: what the model thought before it gave the answer, where the endpoint shows it."""
    cost: Cost = Cost()
    doubtful: bool = False
    """For failed: nothing tells yet whether the segment is at fault or the configuration."""

    @property
    def final(self) -> bool:
        """False when a later run should try again, because it may be nothing about the segment that was at fault."""
        return self.error_class not in RETRYABLE and not self.doubtful

    @property
    def answered(self) -> bool:
        """Whether the endpoint sent a completion for it, usable or not."""
        if self.kind == "failed":
            return not UNUSABLE.isdisjoint(self.cost.faults)
        return self.cost.calls > 0
