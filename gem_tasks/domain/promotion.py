"""Decisions about models: possible results, their figures, and the decider."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from gem_tasks.domain.base import Json, Value

Outcome = Literal["promoted", "kept", "rejected"]
"""`kept`: not better with confidence; it stays unpromoted and is marked. `rejected`: a person refused it."""
THE_GATE = "gate"
"""The decider if it was not a person."""


class Policy(Value):
    """When a model counts as better."""

    confidence: float = Field(default=0.95, gt=0.5, lt=1)
    """For all harnesses together: each gets its share of the error probability (Bonferroni)."""
    resamples: int = Field(default=10_000, ge=1000)
    seed: int = 0
    advisory: tuple[str, ...] = ("calls",)
    """Harnesses in which a model may not be worse, but to be better in them alone does not promote it."""
    most_errors: float = Field(default=0.02, ge=0, le=1)
    """Share of attempts that may have failed outside the model; with more, an evaluation proves nothing."""


class Difference(Value):
    """How much better one model is than another on the same cases, as a share of 1."""

    mean: float
    """Challenger minus champion."""
    low: float
    high: float
    confidence: float
    """Confidence of the two-sided interval from `low` to `high`."""
    better: float
    """Share of resamples in which the challenger is better."""
    cases: int
    metric: str = ""
    """The compared score: `accuracy`, `avg@4`, `pass^1`."""
    resamples: int
    seed: int


class Verdict(Value):
    """The result of comparing the figures."""

    outcome: Outcome
    why: str
    differences: dict[str, Difference] = Field(default_factory=dict)
    """Differences by harness."""


class Promotion(Value):
    """A decision that was taken."""

    model_id: str
    against: str | None
    """The model that it was compared with; None if there was none."""
    outcome: Outcome
    decided_by: str
    why: str
    evidence: Json = Field(default_factory=dict)
    decided_at: datetime | None = None
