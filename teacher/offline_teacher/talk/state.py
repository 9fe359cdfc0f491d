"""State of one conversation in the making, and the arguments of calls that follow from it."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from gem_tasks.domain.base import Json
from offline_teacher.reading import english
from offline_teacher.talk import phrases
from offline_teacher.talk.people import Setting
from offline_teacher.talk.rules import Conflict, Rule
from offline_teacher.talk.script import Script, clean_value
from offline_teacher.talk.shapes import fits, kind_of
from offline_teacher.talk.tools import Tool, Toolbox
from offline_teacher.talk.values import Unfit, Values
from offline_teacher.talk.world import Record, World

_QUERY = ("query", "name", "keyword", "search", "term", "contains", "words", "text", "q")
_MOST_OPTIONAL = 2


@dataclass
class Step:
    """A tool about to be called."""

    tool: Tool
    arguments: Json
    response: Json | None = None
    """If it is settled already."""


@dataclass
class Walk:
    """State of one conversation in the making."""

    rng: random.Random
    setting: Setting
    box: Toolbox
    values: Values
    world: World
    script: Script
    rules: Sequence[Rule]
    requires: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    conflicts: list[Conflict] = field(default_factory=list[Conflict])
    done: list[str] = field(default_factory=list[str])
    """Names of tools called with success."""
    upcoming: list[str] = field(default_factory=list[str])
    """Names of the tools that the graph still holds, in order."""
    prepared: dict[str, Json] = field(default_factory=dict[str, Json])
    """Arguments that the user has given before their turn, by tool."""
    exceeded: bool = False
    """Whether the user has already wanted more than a limit allows."""
    error_at: int = 1
    """Which step fails at first."""
    told_rules: set[int] = field(default_factory=set[int])
    trying: set[str] = field(default_factory=set[str])
    """Names of tools that are being prepared."""

    @property
    def style(self) -> str:
        """How the user speaks."""
        return self.setting.user.style

    def say(self, table: dict[str, tuple[str, ...]]) -> str:
        """A wording of the user's."""
        return phrases.pick(table, self.style, self.rng)

    def arguments(self, tool: Tool) -> Json | None:
        """Arguments that validate; None if none can be found."""
        optional = 0
        made: Json = {}
        for param in tool.params:
            query = tool.kind == "find" and _is_query(param.name) and kind_of(param.schema) == "string"
            if not param.required:
                wanted = param.name in self.values.own or self.rng.random() < 0.4
                if param.entity or optional >= _MOST_OPTIONAL or not wanted or "default" in param.schema or query:
                    continue
                optional += 1
            try:
                made[param.name] = self._value(tool, param.name, param.entity, param.schema, query)
            except Unfit:
                if param.required:
                    return None
        made.update(self.prepared.get(tool.name, {}))
        needed = {param.name for param in tool.params if param.required}
        for arguments in (made, {name: value for name, value in made.items() if name in needed}):
            arguments = clean_value(arguments)
            if fits(tool.spec.parameters, arguments):
                return arguments
        return None

    def _value(self, tool: Tool, name: str, entity: str, schema: Json, query: bool) -> Any:
        if entity and "enum" not in schema and "const" not in schema:
            wanted = self.world.record(entity).id
            made: Any = [wanted] if kind_of(schema) == "array" else wanted
            if fits(schema, made):
                return made
        if query and "enum" not in schema:
            label = self.world.record(tool.noun or "record").label
            if fits(schema, label):
                return label
        thing = english.singular(english.spoken(name))
        if thing in self.world.current and set(schema) <= {"type", "description", "title", "minLength", "maxLength"}:
            return self.world.current[thing].label
        return self.values.make(name, schema, tool.spec.parameters)

    def with_record(self, record: Record, tool: Tool) -> Step | None:
        """A call about that record instead of the one being talked about."""
        before = self.world.current.get(record.entity)
        self.world.current[record.entity] = record
        arguments = self.arguments(tool)
        response = self.world.answer(tool, arguments) if arguments is not None else None
        if before is not None:
            self.world.current[record.entity] = before
        return Step(tool, arguments, response) if arguments is not None else None


def _is_query(name: str) -> bool:
    """Whether a parameter takes the words to search for."""
    return any(word in _QUERY for word in english.split_name(name))
