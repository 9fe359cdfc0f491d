"""What a world looks like: date, errors, ids and place, drawn for each text; no world resembles an example."""

from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.resources import files
from typing import Annotated

from pydantic import Field

from gem_tasks.domain.base import Value
from gem_tasks.plain_yaml import read_yaml
from gem_tasks.plans.draw import Lots
from gem_tasks.plans.menus import Name, Option

_Menu = Annotated[dict[Name, Option], Field(min_length=1)]
_TITLES = {"errors": "Errors", "ids": "Ids", "place": "Place"}
_FIRST_DAY = datetime(2021, 1, 4, tzinfo=UTC)
_DAYS = 6 * 365
_FRIDAY = 4
_WEEKENDS = 3
"""Two of three days at a weekend move into the following week."""
_OPENING, _CLOSING = 6 * 3600, 21 * 3600
"""Seconds of the day between which a conversation is plausible anywhere in the world's own hours."""


class WorldMenus(Value):
    """The menus of worlds."""

    errors: _Menu
    ids: _Menu
    place: _Menu


class WorldStyle(Value):
    """What one world is to look like."""

    now: str
    """When it begins, such as `2024-05-07T13:42:05Z`; any day of the week."""
    choices: dict[str, str]
    """Option by menu."""
    words: dict[str, str]
    """What the writer is told, by menu."""

    @property
    def text(self) -> str:
        """The date, then one line a menu."""
        day = datetime.fromisoformat(self.now).strftime("%A")
        lines = [f"- Date: `now` is {self.now}, a {day}."]
        return "\n".join([*lines, *(f"- {_TITLES[menu]}: {words}" for menu, words in self.words.items())])


@cache
def shipped_worlds() -> WorldMenus:
    """Ours."""
    text = files(__package__ or __name__).joinpath("worlds.yaml").read_text(encoding="utf-8")
    return WorldMenus.model_validate(read_yaml(text))


def draw_style(menus: WorldMenus, *identity: str | int) -> WorldStyle:
    """The style of one world.

    Args:
        menus: what to draw from.
        identity: what tells this world from every other: the same identity gets the same style.
    """
    lots = Lots("\0".join(map(str, ("world", *identity))))
    day = _FIRST_DAY + timedelta(days=lots.between("day", 0, _DAYS))
    if day.weekday() > _FRIDAY and lots.between("weekend", 1, _WEEKENDS) > 1:
        day += timedelta(days=lots.between("later", 2, _FRIDAY + 1))
    began = day + timedelta(seconds=lots.between("second", _OPENING, _CLOSING))
    options: dict[str, dict[str, Option]] = {menu: getattr(menus, menu) for menu in WorldMenus.model_fields}
    choices = {
        menu: lots.one(menu, {name: option.weight for name, option in each.items()}) for menu, each in options.items()
    }
    return WorldStyle(
        now=began.strftime("%Y-%m-%dT%H:%M:%SZ"),
        choices=choices,
        words={menu: options[menu][name].says for menu, name in choices.items()},
    )
