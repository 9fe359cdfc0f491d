"""Groups recipes into chains, and chooses the chain that a page shows by default."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime

from gem_tasks.domain.base import Value
from gem_tasks.domain.stage import EVERY_STAGE, STAGE_NAMES, SYNTHESIZER_LINE, WORLD_LINE
from gem_tasks.domain.take import Take
from gem_tasks.lineage.console.prompts import Link

_LINES = {WORLD_LINE[-1]: "in worlds", SYNTHESIZER_LINE[-1]: "by a synthesizer"}
"""Lines beside that of one pass, by their last stage."""
_ENDS = (STAGE_NAMES[-1], *_LINES)
_OPENING = ("generate", "world")
"""Stages that process a text once for each of its workflows, or takes."""


class Chain(Value):
    """Recipes of all stages that belong together, in order; identified by the last one of the first take."""

    id: str
    links: tuple[Link, ...]
    """Those of the first take."""
    others: tuple[tuple[Link, ...], ...] = ()
    """Those of each further take: the same up to `extract`."""
    current: bool
    """Whether these are the recipes of the configured prompts and models."""
    spared_by: str = ""
    """Recipe of `confirm` whose accepted texts `extract` does not get; empty without a synthesizer."""

    @property
    def places(self) -> dict[str, int]:
        """The recipe ids of all takes, each with the position of its stage."""
        return {link.recipe_id: at for links in (self.links, *self.others) for at, link in enumerate(links)}

    @property
    def stages(self) -> tuple[str, ...]:
        """The names of its stages."""
        return tuple(link.stage for link in self.links)

    @property
    def line(self) -> str:
        """How its conversations are made, unless in one pass, which is empty."""
        return _LINES.get(self.links[-1].stage, "")

    def opening(self, at: int) -> frozenset[str]:
        """Of a stage with several results for one of the stage before: the recipes with only the first of them."""
        link = self.links[at]
        if link.stage in _OPENING:
            return frozenset({link.recipe_id})
        if link.stage == "simulate":
            ways = (self.links, *self.others)
            return frozenset(way[at].recipe_id for way in ways if not way[at].params.get("rollout"))
        return frozenset()

    @property
    def models(self) -> str:
        """The models, each once."""
        return ", ".join(dict.fromkeys(link.model or "" for link in self.links))

    @property
    def last_hour(self) -> datetime | None:
        """Time of the last result of any of its stages."""
        every = (link for links in (self.links, *self.others) for link in links)
        return max((link.last_hour for link in every if link.last_hour), default=None)


def chains(found: Sequence[Link], current: Collection[str], confirm: str = "") -> list[Chain]:
    """Every chain, those of one pass before those of other lines, most recently used first; all takes are one chain.

    Args:
        found: all recipes.
        current: recipes of the last stage of each line under the current settings, of any take.
        confirm: current recipe of the synthesizer's last stage, if it is on.
    """
    by_id = {link.recipe_id: link for link in found}
    followed = {link.parent_id for link in found}
    ends = [link for link in found if link.stage in _ENDS or _ended_once(link, followed)]
    takes: defaultdict[str, list[tuple[Link, ...]]] = defaultdict(list)
    for way in sorted((_up(end, by_id) for end in ends), key=_take):
        takes[_base(way)].append(way)
    made = [
        Chain(
            id=first[-1].recipe_id,
            links=first,
            others=tuple(others),
            current=(now := any(way[-1].recipe_id in current for way in (first, *others))),
            spared_by=confirm if now and first[-1].stage != SYNTHESIZER_LINE[-1] else "",
        )
        for first, *others in takes.values()
    ]
    return sorted(sorted(made, key=_activity, reverse=True), key=lambda chain: bool(chain.line))


def chosen(all_: Sequence[Chain], wanted: str | None) -> Chain | None:
    """The wanted chain, by a recipe of it; otherwise the most recently used one; None if there is none."""
    return next((chain for chain in all_ if wanted in chain.places), all_[0] if all_ else None)


def _up(end: Link, by_id: dict[str, Link]) -> tuple[Link, ...]:
    way = [end]
    while (parent := by_id.get(way[-1].parent_id or "")) and parent.stage in EVERY_STAGE:
        way.append(parent)
    return tuple(reversed(way))


def _take(way: Sequence[Link]) -> tuple[int, int]:
    workflow, rollout = (max(link.params.get(name, 0) for link in way) for name in ("workflow", "rollout"))
    return workflow, rollout


def _base(way: Sequence[Link]) -> str:
    """What the chains of several takes have in common."""
    root = way[0].parent_id
    own = [
        (link.stage, link.version, link.prompt_sha256, link.model,
         {name: value for name, value in sorted(link.params.items()) if name not in Take.model_fields})
        for link in way
    ]  # fmt: skip
    return repr((root, own))


def _ended_once(link: Link, followed: set[str | None]) -> bool:
    """Whether it is the last link of a chain from a version of GEM without revisions."""
    return link.stage == "validate" and link.recipe_id not in followed


def _activity(chain: Chain) -> tuple[str, int, datetime]:
    worked = sum(1 for link in chain.links if link.last_hour)
    last = chain.last_hour
    return (last.isoformat() if last else "", worked, chain.links[-1].first_seen_at)
