"""Which texts a trained synthesizer makes trajectories of, and when a group of texts may have it.

A share of all texts goes both ways, so that the two ways are compared on the same texts, group by group. The group of a
text is its first domain.
"""

from typing import Literal

from gem_tasks.domain.base import Json, Value
from gem_tasks.domain.trajectory import Trajectory

Way = Literal["synthesizer", "both", "pipeline"]
"""By the synthesizer; by both, to compare them; by the stages from `extract` on."""

OPENS, CLOSES = 0.9, 0.8
"""A closed group opens when the synthesizer's acceptance is at least this share of the pipeline's; an open one closes
below the lower share. Between the two it stays as it is."""


class Route(Value):
    """The way of a text, and why."""

    way: Way
    group: str
    reason: str = ""
    """Of the way `pipeline`: a slug."""
    detail: str = ""

    @property
    def measures(self) -> Json:
        """In the form that the lineage stores."""
        return {"way": self.way, "group": self.group}


class Synthesized(Trajectory):
    """Output of `synthesize`: a conversation with its tools, and the way of its text."""

    way: Way
    group: str

    @property
    def conversation(self) -> Trajectory:
        """Without the way."""
        return Trajectory(tools=self.tools, messages=self.messages)

    @property
    def measures(self) -> Json:
        """As those of every trajectory, and the way."""
        return super().measures | {"way": self.way, "group": self.group}


class Sampled(Value):
    """The newest texts of a group that went both ways to the end, and how many of them each way accepted."""

    group: str
    texts: int = 0
    synthesizer: int = 0
    pipeline: int = 0


class GroupState(Value):
    """Whether the synthesizer may have the texts of a group, as it was decided and recorded."""

    group: str
    open: bool = False
    sampled: Sampled

    @property
    def why(self) -> str:
        """In words."""
        found = self.sampled
        if not found.texts:
            return "no text went both ways to the end yet"
        accepted = f"the synthesizer made {found.synthesizer} accepted trajectories, the pipeline {found.pipeline}"
        return f"of the last {found.texts} samples {accepted}"


class Groups(Value):
    """The decision about all groups with samples. Others are closed."""

    states: tuple[GroupState, ...] = ()

    def of(self, group: str) -> GroupState:
        """The state of a group."""
        known = (state for state in self.states if state.group == group)
        return next(known, GroupState(group=group, sampled=Sampled(group=group)))


def state_of(found: Sampled, minimum: int, *, was_open: bool) -> GroupState:
    """Decides about a group.

    Args:
        found: its samples.
        minimum: with fewer of them it stays as it was.
        was_open: as it was; a group begins closed.
    """
    share = CLOSES if was_open else OPENS
    good = found.synthesizer > 0 and found.synthesizer >= share * found.pipeline
    return GroupState(group=found.group, open=was_open if found.texts < minimum else good, sampled=found)
