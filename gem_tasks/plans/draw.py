"""Draws a plan. The seed is the identity of the conversation, so a re-run under the same recipe draws the same one."""

from collections.abc import Mapping
from hashlib import sha256
from typing import TypeVar

from gem_tasks.domain.plan import CHOICES, Plan
from gem_tasks.plans.menus import Length, Menus, Option

Name = TypeVar("Name", str, int)


def draw(menus: Menus, *identity: str | int) -> Plan:
    """A plan for one conversation.

    Args:
        menus: what to draw from.
        identity: what tells this conversation from every other: text, workflow, rollout, recipe.
    """
    lots = _Lots("\0".join(map(str, identity)))
    by_name = menus.by_name
    choices = {menu: lots.one(menu, _weights(by_name[menu])) for menu in CHOICES}
    length = menus.length[choices["length"]]
    count = min(lots.one("pattern_count", menus.pattern_count), length.patterns)
    patterns = lots.several("patterns", _weights(menus.patterns), count)
    words = {menu: by_name[menu][option].says for menu, option in choices.items() if menu != "length"}
    return Plan(
        choices=choices,
        patterns=patterns,
        messages=lots.between("messages", *length.messages),
        user_turns=lots.between("user_turns", *length.user_turns),
        words=words | {name: menus.patterns[name].says for name in patterns},
    )


def _weights(menu: Mapping[str, Option | Length]) -> dict[str, float]:
    return {name: option.weight for name, option in menu.items()}


class _Lots:
    """Independent uniform numbers by name, from one seed: the same on every machine and version of Python."""

    def __init__(self, seed: str) -> None:
        self._seed = seed

    def one(self, what: str, weights: Mapping[Name, float]) -> Name:
        """A name by weight. The order of the names makes no difference."""
        possible = [(name, weight) for name, weight in sorted(weights.items()) if weight]
        at = self._share(what) * sum(weight for _, weight in possible)
        for name, weight in possible:
            at -= weight
            if at < 0:
                return name
        return possible[-1][0]  # what rounding left over

    def several(self, what: str, weights: Mapping[str, float], count: int) -> tuple[str, ...]:
        """Distinct names, as many as wanted and there are with a weight."""
        left = {name: weight for name, weight in weights.items() if weight}
        drawn: list[str] = []
        while left and len(drawn) < count:
            drawn.append(self.one(f"{what} {len(drawn)}", left))
            del left[drawn[-1]]
        return tuple(drawn)

    def between(self, what: str, least: int, most: int) -> int:
        """A whole number, ends included."""
        return least + int(self._share(what) * (most - least + 1))

    def _share(self, what: str) -> float:
        """At least 0, less than 1."""
        digest = sha256(f"{self._seed}\0{what}".encode()).digest()
        return int.from_bytes(digest[:6], "big") / 2**48
