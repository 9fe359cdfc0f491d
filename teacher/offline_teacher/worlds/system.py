"""A workflow's tools over tables: which thing each works on, and the planned calls whose records have to exist."""

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any, cast

from gem_tasks.domain.base import Json
from gem_tasks.prompts.dialogue import parse_tools
from offline_teacher.reading import english
from offline_teacher.talk import people
from offline_teacher.talk.shapes import fits, kind_of
from offline_teacher.talk.tools import Param, Tool, Toolbox, same_thing, toolbox
from offline_teacher.talk.values import Unfit, Values, code

_ID_KINDS = frozenset(("string", "integer", "array"))


@dataclass(frozen=True, slots=True)
class Action:
    """A planned call."""

    tool: Tool
    arguments: Json


@dataclass(frozen=True)
class System:
    """What `worlds` and `tasks` are made of."""

    box: Toolbox
    planned: tuple[Action, ...]
    requires: tuple[tuple[str, str], ...]
    """Pairs `(tool, after)`."""

    @cached_property
    def things(self) -> tuple[str, ...]:
        """What there is a table of, in words: whatever has an id, and what is found or created."""
        found: list[str] = []
        for thing in self._named():
            if not any(same_thing(thing, other) for other in found):
                found.append(thing)
        return tuple(found)

    def _named(self) -> Iterator[str]:
        for tool in self.box.tools.values():
            yield from (param.entity for param in ids(tool))
        for tool in self.box.tools.values():
            if tool.kind in ("find", "create") or not ids(tool):
                yield tool.noun or "record"

    def thing(self, words: str) -> str:
        """The thing with a table that these words mean."""
        return next((thing for thing in self.things if thing == words), None) or next(
            thing for thing in self.things if same_thing(thing, words)
        )

    def worked_on(self, tool: Tool) -> str:
        """The thing in whose table a tool looks or writes."""
        about = own(tool)
        return self.thing(about.entity if about and tool.kind in ("read", "change") else tool.noun or "record")

    def key(self, thing: str) -> str:
        """The field of a record that has its id."""
        param = self.box.id_param(thing)
        return param.name if param else f"{snake(thing)}_id"

    def numeric(self, thing: str) -> bool:
        """Whether ids are numbers."""
        param = self.box.id_param(thing)
        return bool(param) and kind_of(param.schema) in ("integer", "number")


def system(sections: dict[str, str]) -> System:
    """The system for the sections `workflow` and, if the workflow lacks them, `tools` of a prompt.

    Raises:
        ValueError: there are no tools.
    """
    workflow = cast(Json, json.loads(sections.get("workflow", "{}")))
    given = sections.get("tools") or json.dumps(workflow.get("tools"))
    box = toolbox(parse_tools(given))
    requires = [(str(pair["tool"]), str(pair["after"])) for pair in _objects(workflow.get("requires"))]
    return System(
        box,
        tuple(_planned(workflow, box)),
        tuple(pair for pair in requires if set(pair) <= set(box.tools)),
    )


def _planned(workflow: Json, box: Toolbox) -> list[Action]:
    """The workflow's calls, then one of each tool that it has none of, about the same things."""
    known: dict[str, Any] = {}
    planned: list[Action] = []
    for action in _objects(workflow.get("actions")):
        tool, arguments = box.tools.get(str(action.get("name"))), action.get("arguments")
        if tool and isinstance(arguments, dict) and fits(tool.spec.parameters, arguments):
            given = cast(Json, arguments)
            planned.append(Action(tool, given))
            known = {each.entity: given[each.name] for each in ids(tool) if each.name in given} | known
    called = {action.tool.name for action in planned}
    rng = random.Random(0)  # noqa: S311 - reproducible, not secret
    values = Values(rng, date(2026, 3, 12), people.company(rng), people.person(rng))
    for tool in box.tools.values():
        if tool.name not in called and (made := _made_up(tool, values, known)) is not None:
            planned.append(Action(tool, made))
    return planned


def _made_up(tool: Tool, values: Values, known: dict[str, Any]) -> Json | None:
    made: Json = {}
    for param in tool.params:
        if not param.required:
            continue
        try:
            made[param.name] = values.make(param.name, param.schema, tool.spec.parameters)
        except Unfit:
            return None
        if param.entity and kind_of(param.schema) == "string":
            made[param.name] = known.setdefault(param.entity, code(values.rng, param.entity))
    return made if fits(tool.spec.parameters, made) else None


def ids(tool: Tool) -> list[Param]:
    """Parameters that name records."""
    return [param for param in tool.params if param.entity and kind_of(param.schema) in _ID_KINDS]


def own(tool: Tool) -> Param | None:
    """The parameter that names the record a tool works on: its own thing's, else the first."""
    known = ids(tool)
    return next((param for param in known if param == tool.own_id()), None) or next(iter(known), None)


def words(tool: Tool) -> list[str]:
    """Parameters in which a search takes any words."""
    free = {"type", "description", "title", "minLength", "maxLength"}
    return [
        param.name for param in tool.params
        if not param.entity and kind_of(param.schema) == "string" and set(param.schema) <= free
    ]  # fmt: skip


def snake(thing: str) -> str:
    """`sales order` to `sales_order`."""
    return thing.replace(" ", "_")


def table(thing: str) -> str:
    """`sales order` to `sales_orders`."""
    return snake(english.many(thing))


def _objects(value: Any) -> list[Json]:
    return [item for item in cast("list[Any]", value) if isinstance(item, dict)] if isinstance(value, list) else []
