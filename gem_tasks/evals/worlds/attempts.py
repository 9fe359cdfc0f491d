"""What one try at a case is remembered by."""

from pydantic import Field

from gem_tasks.domain.chat import Usage
from gem_tasks.domain.evaluation import CaseScore
from gem_tasks.domain.trajectory import Message
from gem_tasks.evals.tries import Try
from gem_tasks.evals.worlds.causes import Cause
from gem_tasks.worlds.steps import Step


class Attempt(Try):
    """One try at a case."""

    seed: int
    """Decides where numbers of new records begin."""
    reached: bool = False
    cause: Cause | None = None
    """Why the goal was missed; None if it was reached or an endpoint failed."""
    reasons: tuple[str, ...] = ()
    """What is missing from the goal."""
    ending: str = ""
    """How the conversation ended."""
    calls: int = 0
    turns: int = 0
    """Messages of the user."""
    usage: dict[str, Usage] = Field(default_factory=dict)
    """Tokens of `assistant` and `user`."""
    leaks: tuple[str, ...] = ()
    """Names of tools and codes in the user's words that the user cannot know."""
    copied: float = 0.0
    """Share of the user's sequences of four words that are in the task."""
    seconds: float = 0.0
    steps: tuple[Step, ...] = ()
    messages: tuple[Message, ...] = ()

    @property
    def endpoint_failed(self) -> bool:
        """Whether an endpoint is at fault, and not the world or the simulated user."""
        return self.error is not None and self.cause is None

    @property
    def score(self) -> CaseScore:
        """For the report."""
        return CaseScore(
            case_id=self.case_id,
            category=self.category,
            score=float(self.reached),
            epoch=self.epoch,
            error=self.error,
        )
