"""How much players may do in one conversation, declared in one place for all of them."""

from collections.abc import Sequence
from itertools import groupby

from pydantic import Field

from gem_tasks.domain.base import Value
from gem_tasks.worlds.steps import Call, Step, Turn


class Caps(Value):
    """Upper limits of one conversation."""

    calls: int = Field(default=60, ge=1)
    turns: int = Field(default=25, ge=1)
    """Messages of the user."""
    repeats: int = Field(default=3, ge=1)
    """Calls in a row with the same name and arguments, the first included."""

    def broken(self, steps: Sequence[Step]) -> str | None:
        """The first limit that the steps exceed, for people to read, or None."""
        calls = [step for step in steps if isinstance(step, Call)]
        if len(calls) > self.calls:
            return f"more than {self.calls} calls"
        if sum(isinstance(step, Turn) for step in steps) > self.turns:
            return f"more than {self.turns} messages of the user"
        runs = groupby(call.model_dump_json() for call in calls)
        if any(len(list(run)) > self.repeats for _, run in runs):
            return f"the same call more than {self.repeats} times in a row"
        return None
