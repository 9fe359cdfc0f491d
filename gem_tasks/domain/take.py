"""Which of several conversations about one text."""

from pydantic import Field

from gem_tasks.domain.base import Json, Value
from gem_tasks.domain.workflow import Extraction


class Take(Value):
    """One conversation of a text: about one of its workflows, and one of several about that."""

    workflow: int = Field(default=0, ge=0)
    """Index of the workflow, in the order in which they were extracted."""
    rollout: int = Field(default=0, ge=0)

    @property
    def params(self) -> Json:
        """For the recipe. The first take has none, so that it is the same whether or not there are others."""
        return {} if self == FIRST else self.model_dump()

    def of(self, extraction: Extraction) -> Extraction | None:
        """The extraction with the workflow of this take first; None if the text has none for it."""
        found = extraction.workflows
        if self.workflow >= len(found):
            return None
        mine = found[self.workflow]
        return Extraction(workflows=(mine, *(each for each in found if each is not mine)))


FIRST = Take()


def takes(workflows: int, rollouts: int) -> tuple[Take, ...]:
    """All takes of a text with this many workflows, the first one first."""
    return tuple(Take(workflow=at, rollout=number) for at in range(workflows) for number in range(rollouts))
