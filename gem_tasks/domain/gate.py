"""A gate holds a stage's numbers against a policy and decides whether the partition goes on."""

from typing import Literal

from pydantic import Field

from gem_tasks.domain.base import Value

Action = Literal["continue", "halt"]


class Metrics(Value):
    """Counts of one stage over one partition."""

    stage: str
    accepted: int = 0
    rejected: int = 0
    failed: int = 0

    @property
    def total(self) -> int:
        """All outcomes."""
        return self.accepted + self.rejected + self.failed


class Policy(Value):
    """Bounds that a stage must keep; a share is of all its outcomes."""

    max_failed_share: float = Field(default=0.2, ge=0, le=1)
    min_accepted_share: float = Field(default=0.0, ge=0, le=1)
    min_total: int = Field(default=20, ge=0)
    """With fewer outcomes than this, shares mean nothing and the gate lets pass, unless everything failed."""


class Decision(Value):
    """What a gate decided and why, as it is recorded and shown."""

    action: Action
    reason: str
    metrics: Metrics
    policy: Policy
