"""What each task of a request is to be like: plot, user, fault, happening, ending and leaving, drawn separately."""

from functools import cache
from importlib.resources import files
from typing import Annotated

from pydantic import Field

from gem_tasks.domain.base import Value
from gem_tasks.plain_yaml import read_yaml
from gem_tasks.plans.draw import Lots
from gem_tasks.plans.menus import Menus, Name, Option
from gem_tasks.plans.section import TITLES

_Menu = Annotated[dict[Name, Option], Field(min_length=1)]
USER = ("temper", "expertise", "verbosity", "register", "disclosure")
"""Menus of conversations that say who the user is."""
ASSISTANT = "voice"
"""Menu of conversations that says how the assistant talks."""
_TITLES = {
    "plot": "Plot", "fault": "Fault", "meanwhile": "Meanwhile", "ending": "Ending", "leaving": "Leaving",
    "consent": "Consent",
}  # fmt: skip
_SHARED = ("consent",)
"""Menus of what the tasks of a request share, because their system message does."""


class TaskMenus(Value):
    """The menus of tasks."""

    plot: _Menu
    fault: _Menu
    meanwhile: _Menu
    ending: _Menu
    leaving: _Menu
    consent: _Menu


class TaskPlan(Value):
    """What one task is to be like."""

    choices: dict[str, str]
    """Option by menu."""
    words: dict[str, str]
    """What the writer is told, by menu."""

    @property
    def text(self) -> str:
        """One line a menu."""
        return "\n".join(f"- {(_TITLES | TITLES)[menu]}: {words}" for menu, words in self.words.items())


@cache
def shipped_tasks() -> TaskMenus:
    """Ours."""
    text = files(__package__ or __name__).joinpath("tasks.yaml").read_text(encoding="utf-8")
    return TaskMenus.model_validate(read_yaml(text))


def draw_tasks(menus: TaskMenus, conversations: Menus, count: int, *identity: str | int) -> tuple[TaskPlan, ...]:
    """Plans of the tasks of one request; no two have the same plot while there are others.

    Args:
        menus: of tasks.
        conversations: where the user is drawn from.
        count: number of tasks.
        identity: what tells this request from every other: the same identity gets the same plans.
    """
    plans: list[TaskPlan] = []
    for number in range(count):
        lots = Lots("\0".join(map(str, ("task", *identity, number))))
        plans.append(_drawn(menus, conversations, lots, {plan.choices["plot"] for plan in plans}))
    return tuple(plans)


def draw_assistant(menus: TaskMenus, conversations: Menus, *identity: str | int) -> TaskPlan:
    """What the assistant is like in all tasks of one request: when it asks for consent, and how it talks."""
    options: dict[str, dict[str, Option]] = {menu: getattr(menus, menu) for menu in _SHARED}
    return _chosen(
        options | {ASSISTANT: conversations.by_name[ASSISTANT]}, Lots("\0".join(map(str, ("tasks", *identity))))
    )


def _drawn(menus: TaskMenus, conversations: Menus, lots: Lots, taken: set[str]) -> TaskPlan:
    options: dict[str, dict[str, Option]] = {
        menu: getattr(menus, menu) for menu in TaskMenus.model_fields if menu not in _SHARED
    }
    options |= {menu: conversations.by_name[menu] for menu in USER}
    left = {name: option for name, option in options["plot"].items() if name not in taken}
    options["plot"] = left if any(option.weight for option in left.values()) else options["plot"]
    return _chosen(options, lots)


def _chosen(options: dict[str, dict[str, Option]], lots: Lots) -> TaskPlan:
    choices = {
        menu: lots.one(menu, {name: option.weight for name, option in each.items()}) for menu, each in options.items()
    }
    return TaskPlan(choices=choices, words={menu: options[menu][name].says for menu, name in choices.items()})
