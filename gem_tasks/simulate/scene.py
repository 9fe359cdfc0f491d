"""What is played, by whom, and within which limits. Plain values."""

from collections.abc import Callable, Sequence
from typing import Literal, Protocol

from pydantic import Field

from gem_tasks.domain.base import Value
from gem_tasks.domain.chat import Sampling
from gem_tasks.domain.workflow import ToolSpec
from gem_tasks.prompts import Prompt
from gem_tasks.worlds import caps
from gem_tasks.worlds.steps import Answer, Step
from gem_tasks.worlds.task import Task, Variant

Role = Literal["assistant", "user"]


class Scene(Value):
    """One attempt at a task in one of its variants."""

    world: str
    """Id of the world."""
    task: Task
    index: int
    """Index of the task among those of the world."""
    variant: str
    seed: int
    attempt: int = 1
    """Number among the attempts at the same task and variant: each gets separate answers."""
    tools: tuple[ToolSpec, ...]
    """Those of the workflow."""

    @property
    def played_variant(self) -> Variant:
        """The variant.

        Raises:
            KeyError: the task has none of this name.
        """
        return self.task.variant(self.variant)

    @property
    def conversation(self) -> str:
        """Distinguishes the requests of attempts."""
        return f"{self.world}/{self.index}/{self.variant}/{self.seed}/{self.attempt}"


class Player(Value):
    """How a player's model is asked."""

    model: str
    sampling: Sampling = Sampling(temperature=0.8, max_tokens=4096)
    native: bool = True
    """Whether the endpoint gets the tools in its own form; otherwise, and where it refuses them, calls are tagged text.
    Some servers ignore tools that they do not know."""


class Players(Value):
    """Both players and their prompts."""

    assistant: Player
    user: Player
    form: Prompt
    """`simulate`: the form of calls as tagged text."""
    briefing: Prompt
    """`simulate.user`: how to be the user."""


class Caps(caps.Caps):
    """Limits of a conversation, which end it with a reason.

    `repeats` counts equal calls with equal results before the user speaks again, and equal pairs of messages.
    """

    unreadable: int = Field(default=2, ge=1)
    """Unusable answers of a player in a row that are returned with a complaint."""


class Playground(Protocol):
    """A session of the world."""

    def take(self, steps: Sequence[Step]) -> list[Answer]:
        """Takes steps in order."""
        ...


class Judged(Protocol):
    """Whether steps reached the goal."""

    @property
    def reached(self) -> bool:
        """Whether they did."""
        ...

    @property
    def reasons(self) -> tuple[str, ...]:
        """What is missing."""
        ...


Judge = Callable[[tuple[Step, ...]], Judged]
