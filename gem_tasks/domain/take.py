"""Which of several conversations about one text."""

from pydantic import Field

from gem_tasks.domain.base import Json, Value
from gem_tasks.domain.workflow import Extraction


class Take(Value):
    """One conversation of a text: about one of its workflows, and one of several about that."""

    workflow: int = Field(default=0, ge=0)
    """Index of the workflow, in the order in which they were extracted."""
    rollout: int = Field(default=0, ge=0)
    """Index of the conversation among those about this workflow."""

    @property
    def params(self) -> Json:
        """For the recipe. The first take has none, so that it is the same whether or not there are others."""
        return {} if self == FIRST else self.model_dump()

    @property
    def task(self) -> int:
        """In a world: index of the task."""
        return self.rollout % MOST_TASKS

    @property
    def attempt(self) -> int:
        """In a world: index of the conversation among those about this task."""
        return self.rollout // MOST_TASKS

    def of(self, extraction: Extraction) -> Extraction:
        """The extraction with the workflow of this take first.

        Raises:
            IndexError: the text has none for it.
        """
        if not self.workflow:
            return extraction
        found = extraction.workflows
        return Extraction(workflows=(found[self.workflow], *found[: self.workflow], *found[self.workflow + 1 :]))

    def __str__(self) -> str:
        """In words, counted from 1."""
        return f"workflow {self.workflow + 1}, rollout {self.rollout + 1}"

    @property
    def in_world(self) -> str:
        """In words, for a conversation in a world."""
        return f"workflow {self.workflow + 1}, task {self.task + 1}, attempt {self.attempt + 1}"

    def at(self, stage: str) -> str:
        """In words, for a result of the stage; empty if a text has one such result, or it is the first."""
        if stage in ("simulate", "verify"):
            return self.in_world
        if stage in ("world", "task"):
            return f"workflow {self.workflow + 1}"
        return "" if self == FIRST else str(self)


FIRST = Take()

MOST_TASKS = 16
"""Stride of attempts among the rollouts of a world, so that more attempts or tasks later leave earlier takes as they
are."""


def world_takes(workflows: int, tasks: int, attempts: int) -> tuple[Take, ...]:
    """All takes of a text whose conversations happen in worlds, the first one first."""
    rollouts = sorted(attempt * MOST_TASKS + task for attempt in range(attempts) for task in range(tasks))
    return tuple(Take(workflow=at, rollout=number) for at in range(workflows) for number in rollouts)


def takes(workflows: int, rollouts: int) -> tuple[Take, ...]:
    """All takes of a text with this many workflows, the first one first."""
    return tuple(Take(workflow=at, rollout=number) for at in range(workflows) for number in range(rollouts))
