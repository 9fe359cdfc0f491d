"""A gate compares a stage's figures with a policy and decides whether the partition continues."""

from typing import Literal

from pydantic import Field, model_validator

from gem_tasks.domain.base import Value

Action = Literal["continue", "review", "halt"]
"""Continue; ask a person; fail the run."""


class Metrics(Value):
    """Figures of one stage over one partition, from the view `gate_metrics`."""

    stage: str
    accepted: int = 0
    rejected: int = 0
    failed: int = 0
    not_asked: int = 0
    """Rejected without a call."""
    near_duplicates: int = 0
    """Rejected without a call because an earlier segment has nearly the same text."""
    numbers: dict[str, float] = Field(default_factory=dict)
    """Figures to compare with bounds, by metric; metrics that the stage lacks are absent."""
    samples: dict[str, int] = Field(default_factory=dict)
    """Number of items behind a figure, where it is not that of the outcomes."""

    @property
    def total(self) -> int:
        """All outcomes."""
        return self.accepted + self.rejected + self.failed

    @property
    def asked(self) -> int:
        """Outcomes for which the model was asked."""
        return self.total - self.not_asked

    def sample(self, metric: str) -> int:
        """Number of outcomes that a metric is computed from."""
        if metric in self.samples:
            return self.samples[metric]
        if metric.startswith("failed_share"):
            return self.asked
        return self.total - self.near_duplicates if metric == "accepted_share" else self.total


class Bound(Value):
    """The limits of a figure, and the action if it exceeds them."""

    min: float | None = None
    max: float | None = None
    action: Action = "halt"
    sample: int = Field(default=20, ge=1)
    """With fewer outcomes the figure means nothing, and the bound does not apply."""

    @model_validator(mode="after")
    def _bounds_something(self) -> "Bound":
        if self.min is None and self.max is None:
            raise ValueError("give min, max or both")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"min {self.min:g} is above max {self.max:g}")
        return self

    def keeps(self, number: float) -> bool:
        """Whether a figure is within the bound."""
        return (self.min is None or number >= self.min) and (self.max is None or number <= self.max)

    def __str__(self) -> str:
        """Such as `at least 0.1`."""
        parts = [
            f"{word} {bound:g}" for word, bound in (("at least", self.min), ("at most", self.max)) if bound is not None
        ]
        return " and ".join(parts)


class MinimumAgreement(Value):
    """The agreement of people that a kind of error needs to reject conversations."""

    min_precision: float = Field(gt=0, le=1)
    """Share of the rated conversations rejected by the kind that people also reject."""
    sample: int = Field(default=12, ge=1)
    """With fewer rated conversations the share means nothing, and the kind may reject."""


class Policy(Value):
    """The bounds of every stage, by metric, and the hash of the file they come from."""

    sha256: str
    bounds: dict[str, dict[str, tuple[Bound, ...]]]
    agreement: MinimumAgreement | None = None
    """None: the severities of the checks apply, regardless of ratings."""


class Held(Value):
    """One figure compared with one bound."""

    metric: str
    number: float | None
    """None if the stage lacks the metric, or nothing was measured."""
    bound: Bound
    enough: bool
    """Whether there were enough outcomes."""

    @property
    def broken(self) -> bool:
        """Whether the bound applies and is violated."""
        return self.enough and self.number is not None and not self.bound.keeps(self.number)


class Decision(Value):
    """The decision of a gate or a person and its reason, as recorded and shown."""

    action: Action
    reason: str
    metrics: Metrics
    held: tuple[Held, ...] = ()
    policy_sha256: str = ""
    person: str | None = None
    """The person who decided; None for the policy."""
