"""The stage `simulate`: two models talk in a world, turn by turn. What plays them is `gem_tasks.simulate`."""

from typing import NoReturn

from gem_tasks.domain.chat import Sampling
from gem_tasks.domain.record import Record
from gem_tasks.prompts import Prompt
from gem_tasks.stages.base import Stage
from gem_tasks.worlds.played import Played

USER_ASKS_FOR = ("<deed>", "<stop>")
"""What the prompt of the simulated user must mention."""


class Simulate(Stage):
    """Accepts with a `Played`. Its prompt is the assistant's, for models without native calls."""

    name = "simulate"
    version = 1
    sampling = Sampling(temperature=0.8, max_tokens=4096)
    needs = ("extract", "world", "task")
    asks_for = ("<func>",)
    output = Played

    def request(self, record: Record, prompt: Prompt) -> NoReturn:
        """Every request depends on the turns before it.

        Raises:
            TypeError: always.
        """
        raise TypeError("simulate has no single request: see gem_tasks.simulate")

    def parse(self, text: str, record: Record) -> NoReturn:
        """As `request`."""
        raise TypeError("simulate has no single answer: see gem_tasks.simulate")
