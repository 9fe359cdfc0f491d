"""A plan per conversation, so that a strong writer's conversations differ from each other.

`menus` reads the user's or our menus, `draw` draws a plan from them, `section` writes it into a request. Pure.
"""

from gem_tasks.plans.draw import clashes, draw
from gem_tasks.plans.menus import Menus, MenusError, parse_menus, shipped
from gem_tasks.plans.section import render

__all__ = ["Menus", "MenusError", "clashes", "draw", "parse_menus", "render", "shipped"]
