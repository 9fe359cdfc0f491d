"""Decisions about models: what may come out, on which numbers, and who took them."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from gem_tasks.domain.base import Json, Value

Outcome = Literal["promoted", "kept", "rejected"]
"""`kept`: not better with confidence; it stays where it is and is marked. `rejected`: a person does not want it."""
THE_GATE = "gate"
"""Who decided, when it was no person."""


class Policy(Value):
    """When a model is better."""

    confidence: float = Field(default=0.95, gt=0.5, lt=1)
    """Of all harnesses together: each gets its share of what is left to error (Bonferroni)."""
    resamples: int = Field(default=10_000, ge=1000)
    seed: int = 0
    most_errors: float = Field(default=0.02, ge=0, le=1)
    """Share of tries that may have failed outside the model; with more, an evaluation proves nothing."""


class Difference(Value):
    """How much better one model is than another on the same cases, as a share of 1."""

    mean: float
    """Challenger minus champion."""
    low: float
    high: float
    confidence: float
    """Of the two-sided interval from `low` to `high`."""
    better: float
    """Share of resamples in which the challenger is better."""
    cases: int
    resamples: int
    seed: int


class Verdict(Value):
    """What the numbers say."""

    outcome: Outcome
    why: str
    differences: dict[str, Difference] = Field(default_factory=dict)
    """By harness."""


class Promotion(Value):
    """A decision that was taken."""

    model_id: str
    against: str | None
    """The model that it was held against; None when there was none."""
    outcome: Outcome
    decided_by: str
    why: str
    evidence: Json = Field(default_factory=dict)
    decided_at: datetime | None = None
