"""The planned calls in order, with the ids that only earlier results tell."""

from typing import Any, NamedTuple, cast

from gem_tasks.domain.base import Json
from offline_teacher.talk.tools import Tool
from offline_teacher.worlds.system import Action, System, ids, table, words


class Planned(NamedTuple):
    """A call of the plan."""

    tool: Tool
    arguments: Json
    """`"$3.orders.0.order_id"` stands for what the third call answers there."""
    said: Json
    """The arguments that the user has to say."""


def planned(made: System) -> list[Planned]:
    """All calls of the plan."""
    created: dict[str, str] = {}
    found: dict[str, str] = {}
    plan: list[Planned] = []
    for number, action in enumerate(made.planned, start=1):
        plan.append(_call(made, action, found | created))
        thing, tool = made.worked_on(action.tool), action.tool
        if tool.kind == "create":
            created[thing] = f"${number}.{made.key(thing)}"
        elif tool.kind == "find" and set(words(tool)) & action.arguments.keys():
            found.setdefault(thing, f"${number}.{table(thing)}.0.{made.key(thing)}")
    return plan


def existing(made: System, thing: str) -> list[Any]:
    """Ids in the plan of records that exist before it."""
    new = False
    seen: dict[Any, None] = {}
    for action in made.planned:
        for param in ids(action.tool):
            given = action.arguments.get(param.name)
            if made.thing(param.entity) == thing and not new and given is not None:
                every = cast("list[Any]", given) if isinstance(given, list) else [given]
                seen |= dict.fromkeys(each for each in every if isinstance(each, str | int))
        new = new or (action.tool.kind == "create" and made.worked_on(action.tool) == thing)
    return list(seen)


def _call(made: System, action: Action, paths: dict[str, str]) -> Planned:
    arguments, said = dict(action.arguments), dict(action.arguments)
    for param in ids(action.tool):
        path = paths.get(made.thing(param.entity))
        if path and param.name in arguments:
            arguments[param.name] = [path] if isinstance(arguments[param.name], list) else path
            del said[param.name]
    return Planned(action.tool, arguments, said)
