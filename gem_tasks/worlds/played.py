"""The output of the stage `simulate`: a conversation whose results came from a world, with what a replay needs."""

from gem_tasks.domain.base import Json, Value
from gem_tasks.domain.trajectory import Draft
from gem_tasks.domain.workflow import ToolSpec
from gem_tasks.worlds.scenario import Scenario
from gem_tasks.worlds.steps import Step
from gem_tasks.worlds.task import Task
from gem_tasks.worlds.world import World


class Execution(Value):
    """Proof that results came from a world: the same steps in it give the same results."""

    world: str
    """Id of the world."""
    task: int
    """Index of the task among those of the world."""
    variant: str
    seed: int
    """Decides where numbers of new records begin."""
    steps: tuple[Step, ...]
    """In order: a `Turn` for each message of the user, its deeds before it, and every call."""
    reached: bool
    """Whether the goal was reached."""
    reasons: tuple[str, ...] = ()
    """What is missing from the goal; or, if it was reached, consent that only the words can show."""


class Played(Draft):
    """A conversation that happened. The tools are those of the workflow; the plan is None."""

    execution: Execution


class Replayable(Value):
    """What `gem check --replay` needs beside a conversation; one file a world travels with a dataset."""

    world: World
    scenarios: dict[str, Scenario]
    """By `{task}/{variant}`."""
    tools: tuple[ToolSpec, ...] = ()
    """The world's tools as an assistant sees them, with descriptions."""
    tasks: tuple[Task, ...] = ()
    """What users want in it, for `gem eval worlds`."""
    segment_id: str = ""
    """The text that it was made from."""


def name_of(execution: Execution) -> str:
    """The key of its scenario in `Replayable.scenarios`."""
    return f"{execution.task}/{execution.variant}"


def evidence(execution: Execution) -> Json:
    """For the metadata of a row: everything but the reasons."""
    return execution.model_dump(mode="json", exclude={"reasons"})
