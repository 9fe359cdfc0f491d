"""Audits: samples that are drawn, and people's ratings of them."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from gem_tasks.domain.base import Value

What = Literal["segments", "trajectories", "refused"]
"""Segments come with their workflows and tools; published trajectories, and conversations that checks or judge finally
refused, with their source text."""

Quality = Literal["coherence", "tools", "faithfulness"]
QUALITIES: dict[Quality, str] = {
    "coherence": "Does it make sense from beginning to end?",
    "tools": "Are the tools the ones that this task needs?",
    "faithfulness": "Is it what the text says, with nothing made up?",
}
"""Questions for the rater, each from 1 (no) to 5 (fully)."""

GOOD = 4
"""From this score on, a rating counts as good."""

NAME_LENGTH = 100
"""Longest name of a rater, in characters."""

Score = Annotated[int, Field(ge=1, le=5)]


class Sample(Value):
    """What to draw. The same sample of the same data gives the same items."""

    what: What = "trajectories"
    size: int = Field(default=50, ge=1, le=1000)
    seed: int = 0
    version: str | None = None
    """Only this dataset version (for `segments` and `refused`: only its partition)."""
    first: str | None = None
    """First partition, such as `2026-01-31T14:00`."""
    last: str | None = None
    """Last partition (included)."""


class AuditItem(Value):
    """One drawn segment or conversation. It does not contain the reason for a rejection, which raters must not know."""

    item_id: str
    """Id of the trajectory, or of the segment if it was not published."""
    position: int
    """From 1, in the order of rating: random, so that strata are mixed."""
    stratum: str
    partition: str
    shard: int
    recipe_id: str
    """Recipe under which it was made, so that it can be shown after prompts have changed."""
    stage: str = "extract"
    """Stage of that recipe: for a conversation, the stage that accepted or refused it."""
    version: str | None = None
    """Dataset version of a trajectory."""


class Audit(Value):
    """A sample that was drawn."""

    audit_id: str
    sample: Sample
    population: int
    """Number of items to draw from."""
    versions: tuple[str, ...]
    """Dataset versions that the sample represents; empty for unpublished items."""
    items: int
    drawn_at: datetime


class Rating(Value):
    """One person's rating of one item."""

    item_id: str
    rater: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=NAME_LENGTH)]
    coherence: Score
    tools: Score
    faithfulness: Score
    comment: str = Field(default="", max_length=2000)
