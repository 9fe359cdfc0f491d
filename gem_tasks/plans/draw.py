"""Draws a plan. The seed is the identity of the conversation, so a re-run under the same recipe draws the same one."""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import TypeVar

from gem_tasks.domain.plan import CHOICES, Plan
from gem_tasks.plans.menus import Menus

Name = TypeVar("Name", str, int)
FIRST = ("length", "look_alikes", "ending")
"""Drawn before the patterns. An option that is drawn earlier keeps its share, regardless of what it excludes;
conversations differ most by these and the patterns."""
THEN = ("disclosure", *(menu for menu in CHOICES if menu not in (*FIRST, "disclosure")))
"""Drawn after the patterns. `disclosure` excludes most, so it comes before the menus that it takes options from."""


def draw(menus: Menus, *identity: str | int) -> Plan:
    """A plan for one conversation.

    Args:
        menus: what to draw from.
        identity: what tells this conversation from every other: text, workflow, rollout, recipe.
    """
    drawing = _Drawing(menus, Lots("\0".join(map(str, identity))))
    choices = {menu: drawing.option(menu) for menu in FIRST}
    length = menus.length[choices["length"]]
    patterns = drawing.patterns(length.patterns)
    choices |= {menu: drawing.option(menu) for menu in THEN}
    by_name = menus.by_name
    words = {menu: by_name[menu][choices[menu]].says for menu in CHOICES if menu != "length"}
    return Plan(
        choices={menu: choices[menu] for menu in CHOICES},
        patterns=patterns,
        messages=drawing.lots.between("messages", *length.messages),
        user_turns=drawing.lots.between("user_turns", *length.user_turns),
        words=words | {name: menus.patterns[name].says for name in patterns},
    )


def clashes(menus: Menus, plan: Plan) -> bool:
    """Whether it holds two options that exclude each other: a menu had no other left."""
    drawn = [*plan.choices.items(), *(("patterns", name) for name in plan.patterns)]
    names = {f"{menu}.{name}" for menu, name in drawn}
    return any(menus.excluded.get(name, frozenset()) & names for name in names)


class _Drawing:
    """One plan being drawn: what has been drawn takes away what it excludes."""

    def __init__(self, menus: Menus, lots: "Lots") -> None:
        self.lots = lots
        self._menus = menus
        self._by_name = menus.by_name
        self._out: set[str] = set()

    def option(self, menu: str) -> str:
        """An option by weight; one that is excluded only if the menu has no other."""
        weights = {name: option.weight for name, option in self._by_name[menu].items()}
        return self._drawn(menu, self.lots.one(menu, self._left(menu) or weights))

    def patterns(self, most: int) -> tuple[str, ...]:
        """Distinct patterns, as many as drawn, as fit, and as there are that nothing excludes."""
        count = min(self.lots.one("pattern_count", self._menus.pattern_count), most)
        found: list[str] = []
        while len(found) < count and (left := self._left("patterns", found)):
            found.append(self._drawn("patterns", self.lots.one(f"patterns {len(found)}", left)))
        return tuple(found)

    def _left(self, menu: str, taken: Sequence[str] = ()) -> dict[str, float]:
        return {
            name: option.weight
            for name, option in self._by_name[menu].items()
            if option.weight and name not in taken and f"{menu}.{name}" not in self._out
        }

    def _drawn(self, menu: str, name: str) -> str:
        self._out |= self._menus.excluded.get(f"{menu}.{name}", frozenset())
        return name


class Lots:
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

    def between(self, what: str, least: int, most: int) -> int:
        """A whole number, ends included."""
        return least + int(self._share(what) * (most - least + 1))

    def _share(self, what: str) -> float:
        """At least 0, less than 1."""
        digest = sha256(f"{self._seed}\0{what}".encode()).digest()
        return int.from_bytes(digest[:6], "big") / 2**48
