"""What a tool is for, read off its name and schema: does it find, read, create or change, and what does it need?"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from gem_tasks.domain.base import Json
from gem_tasks.domain.workflow import ToolSpec
from offline_teacher.reading import english
from offline_teacher.talk.shapes import properties_of, required_of, settled, usable

Kind = Literal["find", "read", "create", "change"]

_ID_SUFFIX = re.compile(r"(?:_|\b)(?:ids?|uuid|guid|number|no|nr|code|ref|reference|key)$|^ids?$", re.I)
_SURE_ID = re.compile(r"(?:^|_)(?:ids?|uuid|guid)$", re.I)


@dataclass(frozen=True, slots=True)
class Param:
    """One parameter of a tool."""

    name: str
    schema: Json
    """With references followed."""
    required: bool
    entity: str
    """The thing whose id it is, in words; empty if it is no id."""
    surely_id: bool


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool as the dialogue sees it."""

    spec: ToolSpec
    verb: str
    noun: str
    """In words, singular; may be empty."""
    kind: Kind
    final: bool
    """Hard to take back: to be confirmed first."""
    params: tuple[Param, ...]

    @property
    def name(self) -> str:
        """As called."""
        return self.spec.name

    def own_id(self) -> Param | None:
        """The parameter that names the thing it works on."""
        return next((param for param in self.params if param.entity and same_thing(param.entity, self.noun)), None)

    def action(self, known: bool = False) -> str:
        """`create a sales order`, `post the sales order`."""
        if not self.noun:
            return self.verb
        if self.kind == "find":
            return (
                f"{self.verb} for {english.many(self.noun)}"
                if self.verb in ("search", "look", "query")
                else (f"{self.verb} {english.many(self.noun)}")
            )
        noun = english.a(self.noun) if self.kind == "create" and not known else f"the {self.noun}"
        return f"{self.verb} {noun}"


@dataclass(frozen=True, slots=True)
class Toolbox:
    """All tools, usable or not, in the order given."""

    specs: tuple[ToolSpec, ...]
    tools: dict[str, Tool] = field(default_factory=dict[str, Tool])
    """Those that calls can be written for."""

    def id_param(self, entity: str) -> Param | None:
        """The parameter by which some tool asks for a thing's id; its schema decides how ids look."""
        params = [param for tool in self.tools.values() for param in tool.params if param.entity]
        exact = (param for param in params if param.entity == entity)
        return next(exact, None) or next((param for param in params if same_thing(param.entity, entity)), None)

    def producers(self, entity: str) -> list[Tool]:
        """Tools that deliver ids of a thing and do not ask for one of the same."""
        return [
            tool
            for tool in self.tools.values()
            if tool.kind in ("find", "create") and same_thing(tool.noun, entity) and tool.own_id() is None
        ]


def toolbox(specs: Iterable[ToolSpec]) -> Toolbox:
    """Looks at every tool. What no call can be written for is kept in `specs` only."""
    given = tuple(specs)
    things = {english.verb_and_noun(spec.name)[1] for spec in given} - {""}
    box = Toolbox(given)
    for spec in given:
        if usable(spec.name, spec.parameters):
            box.tools[spec.name] = _tool(spec, things)
    return box


def same_thing(left: str, right: str) -> bool:
    """`order` and `sales order` are the same; `order line` is something else."""
    if not left or not right:
        return False
    short, long = sorted((left, right), key=len)
    return long == short or long.endswith(f" {short}")


def _tool(spec: ToolSpec, things: set[str]) -> Tool:
    verb, noun = english.verb_and_noun(spec.name)
    needed = set(required_of(spec.parameters))
    params = tuple(
        _param(name, settled(schema, spec.parameters), name in needed, noun, things)
        for name, schema in properties_of(spec.parameters).items()
    )
    head = verb.split(" ")[0]
    owns = any(param.entity and same_thing(param.entity, noun) for param in params)
    kind: Kind = "change"
    if head in english.READ_MANY and not owns and not verb.startswith("look at"):
        kind = "find"
    elif head in english.READ_MANY | english.READ_ONE:
        kind = "read"
    elif head in english.CREATE and not owns:
        kind = "create"
    return Tool(spec, verb, noun, kind, head in english.FINAL and kind in ("create", "change"), params)


def _param(name: str, schema: Json, required: bool, noun: str, things: set[str]) -> Param:
    words = english.split_name(name)
    snake = "_".join(words)
    sure = bool(_SURE_ID.search(snake))
    entity = ""
    if _ID_SUFFIX.search(snake):
        stem = words[:-1] if len(words) > 1 else []
        entity = " ".join([*stem[:-1], english.singular(stem[-1])]) if stem else noun
        if not sure and not any(same_thing(entity, thing) for thing in things):
            entity = ""
    return Param(name, schema, required, entity, sure and bool(entity))
