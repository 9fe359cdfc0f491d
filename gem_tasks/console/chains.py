"""Groups recipes into chains, and chooses the chain that a page shows by default."""

from collections.abc import Sequence
from datetime import datetime

from gem_tasks.domain.base import Value
from gem_tasks.domain.stage import STAGE_NAMES
from gem_tasks.lineage.console.prompts import Link


class Chain(Value):
    """Recipes of all stages that belong together, in order; identified by the last one."""

    id: str
    links: tuple[Link, ...]
    current: bool
    """Whether these are the recipes of the configured prompts and models."""

    @property
    def recipe_ids(self) -> list[str]:
        """Recipe ids in stage order."""
        return [link.recipe_id for link in self.links]

    @property
    def models(self) -> str:
        """The models, each once."""
        return ", ".join(dict.fromkeys(link.model or "" for link in self.links))

    @property
    def last_hour(self) -> datetime | None:
        """Time of the last result of any of its stages."""
        return max((link.last_hour for link in self.links if link.last_hour), default=None)


def chains(found: Sequence[Link], current: str) -> list[Chain]:
    """Every chain, most recently used first.

    Args:
        found: all recipes.
        current: recipe of the last stage under the current settings.
    """
    by_id = {link.recipe_id: link for link in found}
    followed = {link.parent_id for link in found}
    ends = [link for link in found if link.stage == STAGE_NAMES[-1] or _ended_once(link, followed)]
    made = [Chain(id=end.recipe_id, links=_up(end, by_id), current=end.recipe_id == current) for end in ends]
    return sorted(made, key=_activity, reverse=True)


def chosen(all_: Sequence[Chain], wanted: str | None) -> Chain | None:
    """The wanted chain, otherwise the most recently used one; None if there is none."""
    return next((chain for chain in all_ if chain.id == wanted), all_[0] if all_ else None)


def _up(end: Link, by_id: dict[str, Link]) -> tuple[Link, ...]:
    way = [end]
    while (parent := by_id.get(way[-1].parent_id or "")) and parent.stage in STAGE_NAMES:
        way.append(parent)
    return tuple(reversed(way))


def _ended_once(link: Link, followed: set[str | None]) -> bool:
    """Whether it is the last link of a chain from a version of GEM without revisions."""
    return link.stage == "validate" and link.recipe_id not in followed


def _activity(chain: Chain) -> tuple[str, int, datetime]:
    worked = sum(1 for link in chain.links if link.last_hour)
    last = chain.last_hour
    return (last.isoformat() if last else "", worked, chain.links[-1].first_seen_at)
