"""What people and assistants say: a few ways for each moment, chosen by chance, filled with the text's own words."""

import random
import re
from typing import Any

_OPENINGS = (
    "Hi, I need some help: I have to {goal}.",
    "Hello! Could you {goal} for me? I am not sure where to begin.",
    "Good morning. My task today is to {goal}, and I would rather not do it by hand.",
    "Hey, I was asked to {goal}. Can you take that over?",
)
_AGREE = (
    "Yes, go ahead.",
    "Yes please, do it.",
    "That is right, go on.",
    "Confirmed, please proceed.",
    "Yes, exactly like that.",
)
_DONE = ("Done.", "That worked.", "It went through.", "All right, that is in place.")
_THANKS = ("Thanks, that was all I needed.", "Perfect, thank you.", "Great, that helps a lot. Bye!")
_BYE = (
    "You are welcome. Have a good day!",
    "Glad to help. Come back if anything else comes up.",
    "My pleasure, all the best.",
)


class Phrases:
    """The wording of one conversation."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng

    def opening(self, goal: str) -> str:
        """The user's first words."""
        return self._rng.choice(_OPENINGS).format(goal=goal)

    def agree(self) -> str:
        """A clear yes."""
        return self._rng.choice(_AGREE)

    def done(self) -> str:
        """A call succeeded."""
        return self._rng.choice(_DONE)

    def thanks(self) -> str:
        """The user's last words."""
        return self._rng.choice(_THANKS)

    def bye(self) -> str:
        """The assistant's last words."""
        return self._rng.choice(_BYE)


def words(name: str) -> str:
    """`posting_date` → `posting date`."""
    return re.sub(r"[_-]+", " ", name).strip().lower()


def scalars(value: Any, name: str) -> list[tuple[str, Any]]:
    """`(name, value)` of everything inside a value, lists and objects opened."""
    if isinstance(value, dict):
        return [pair for key, inner in value.items() for pair in scalars(inner, str(key))]  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    if isinstance(value, list):
        return [pair for inner in value for pair in scalars(inner, name)]  # pyright: ignore[reportUnknownVariableType]
    return [(name, value)]


def spell(value: Any) -> str:
    """A value as somebody would say it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "nothing" if value is None else str(value)


def listing(parts: list[str]) -> str:
    """`a, b and c`."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}" if parts else ""
