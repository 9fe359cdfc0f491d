"""Tasks in a world: what a user wants, what may happen meanwhile, and when it is reached. Plain values.

The players see parts of it only. The user sees persona, wishes, what they know and their deeds. The assistant sees
the system message and the tools. Only the runtime sees variants, outcome and conditions.
"""

from typing import Literal

from pydantic import Field, field_validator

from gem_tasks.domain.base import Json, Value
from gem_tasks.worlds.scenario import Scenario
from gem_tasks.worlds.steps import Step, told


class Wish(Value):
    """One thing that the user wants, as a decision rule."""

    text: str
    """Determines what the user decides: "If the name is taken, meter-photo; never another domain"."""
    reveal: str
    """When the user says it: "first", "when asked for a date", "after 1 is done"."""


class Condition(Value):
    """What the log of calls must show, regardless of the tables."""

    kind: Literal["confirmed", "after", "never", "at_most"]
    """`confirmed`: the user spoke between the assistant's last words and the first such call, after the assistant
    had looked; `after`: a successful call of `other` comes before it; `never`: no such call; `at_most`: up to `count`
    of them."""
    tool: str
    arguments: Json = Field(default_factory=dict)
    """Only calls with these arguments; they may have others."""
    other: str = ""
    count: int = 1


class Variant(Value):
    """What happens around the conversation, hidden from the players, and a run that reaches the goal in it."""

    name: str
    scenario: Scenario = Scenario()
    """Its deeds are those of the task, for all variants."""
    ending: Literal["done", "impossible"] = "done"
    """`impossible`: the right end leaves the outcome tables as they were, or as the events leave them."""
    reference: tuple[Step, ...]
    """Executed: its final state is the goal."""

    @field_validator("reference")
    @classmethod
    def _as_conversations_have_them(cls, steps: tuple[Step, ...]) -> tuple[Step, ...]:
        """Writers put deeds before a message or after it; players do them before it."""
        return told(steps)


class Task(Value):
    """A task: accepted once every reference passes and mutants of the references fail."""

    title: str
    system: str
    """The assistant's system message: the rules of the text for this procedure."""
    persona: str
    wishes: tuple[Wish, ...] = Field(min_length=1)
    knows: tuple[str, ...] = ()
    """Facts that the user can tell if asked."""
    deeds: dict[str, str] = Field(default_factory=dict)
    """What the user can do outside the tools, in the user's words, by the name of an event without a trigger."""
    tables: tuple[str, ...] = Field(min_length=1)
    """Outcome tables: equal to those of the reference. Of all others, records that the reference did not touch
    stay as they were."""
    volatile: tuple[str, ...] = ()
    """Fields that may differ, such as `created_at`."""
    traces: tuple[str, ...] = ()
    """Tables that show only the way, such as opened documents, sessions or logs: they do not count."""
    conditions: tuple[Condition, ...] = ()
    variants: tuple[Variant, ...] = Field(min_length=1)
    trials: dict[str, int] = Field(default_factory=dict)
    """Numbers of harmful mutants, mutants that change nothing, and other right runs that were tried."""
    notes: tuple[str, ...] = ()
    """Values of its references that follow from nothing: a reader should look whether the wishes have one end."""

    def variant(self, name: str) -> Variant:
        """The variant of that name.

        Raises:
            KeyError: there is none.
        """
        found = {each.name: each for each in self.variants}
        return found[name]


class Tasks(Value):
    """The output of the stage `task`."""

    tasks: tuple[Task, ...] = Field(min_length=1)
    refused: tuple[str, ...] = ()
    """Why other tasks of the same answer were left out."""

    @property
    def measures(self) -> Json:
        """For the lineage, which tells by it how many conversations the world can have."""
        mutants = sum(task.trials.get("mutants", 0) for task in self.tasks)
        notes = sum(len(task.notes) for task in self.tasks)
        return {"tasks": len(self.tasks), "refused": len(self.refused), "mutants": mutants, "notes": notes}
