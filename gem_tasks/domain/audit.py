"""People who look at samples: what they rate, and what follows from it."""

from typing import Literal

from pydantic import Field

from gem_tasks.domain.base import Value

What = Literal["segments", "trajectories"]
CRITERIA = ("coherence", "relevance", "faithfulness")
"""Whether it hangs together; whether the tools fit the task; whether it is true to the text. Each from 1 to 5."""
GOOD = 4
"""A rating from which a criterion counts as met."""
BAR = 0.8
"""The paper's: more than this share of a sample is coherent."""


class Rating(Value):
    """One person on one item."""

    item: int
    rater: str = Field(min_length=1, max_length=200)
    coherence: int = Field(ge=1, le=5)
    relevance: int = Field(ge=1, le=5)
    faithfulness: int = Field(ge=1, le=5)
    comment: str = Field(default="", max_length=2000)


class Share(Value):
    """A share with its 95 % interval (Wilson 1927)."""

    good: int
    of: int
    share: float | None
    low: float | None
    high: float | None


class AuditReport(Value):
    """What an audit says so far."""

    audit_id: int
    what: What
    version: str | None
    """Dataset version that was sampled; None for segments, or for all current versions."""
    items: int
    rated: int
    """Items with at least one rating."""
    raters: tuple[str, ...]
    criteria: dict[str, Share]
    """Items whose mean rating is `GOOD` or better, by criterion."""
    kappa: dict[str, float | None]
    """Agreement of the raters on good or not: Cohen's for two, Fleiss' for more; None where it is undefined."""
    passed: bool
    """All items are rated, and more than `BAR` of them are coherent."""
