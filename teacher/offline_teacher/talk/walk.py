"""A conversation along an execution graph: for every step what is missing is asked, then confirmed, called, told."""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from gem_tasks.domain.base import Json
from offline_teacher.reading import english
from offline_teacher.talk import errors, facts, phrases, questions
from offline_teacher.talk.grounding import Leaf
from offline_teacher.talk.people import Setting
from offline_teacher.talk.rules import Conflict, Rule
from offline_teacher.talk.script import Call, Script, clean_value
from offline_teacher.talk.shapes import fits, kind_of
from offline_teacher.talk.tools import Tool, Toolbox, same_thing
from offline_teacher.talk.values import Unfit, Values
from offline_teacher.talk.world import Record, World

_QUERY = ("query", "name", "keyword", "search", "term", "contains", "words", "text", "q")
_MOST_OPTIONAL = 2
_MOST_TOOLS = 14


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
    _trying: set[str] = field(default_factory=set[str])

    @property
    def style(self) -> str:
        """How the user speaks."""
        return self.setting.user.style

    def say(self, table: dict[str, tuple[str, ...]]) -> str:
        """A wording of the user's."""
        return phrases.pick(table, self.style, self.rng)

    def run(self, names: Iterable[str]) -> None:
        """One node of the graph: everything that can be called together, what it needs before it."""
        tools = [self.box.tools[name] for name in names if name in self.box.tools]
        fresh = [tool for tool in tools if tool.name not in self.done and tool.name not in self._trying]
        for tool in fresh:
            self._trying.add(tool.name)
            self._before(tool)
        steps = [
            Step(tool, made)
            for tool in fresh[:4]
            if tool.name not in self.done and (made := self.arguments(tool)) is not None
        ]
        writes = [step for step in steps if step.tool.kind in ("create", "change")]
        reads = [step for step in steps if step not in writes]
        if reads:
            self.perform(reads)
        for step in writes:
            self.perform([step])
        self._trying.difference_update(tool.name for tool in fresh)

    def _before(self, tool: Tool) -> None:
        """Calls first what the workflow requires and what delivers the ids."""
        wanted = list(self.requires.get(tool.name, []))
        for param in tool.params:
            if param.entity and param.required and not self._known(param.entity):
                wanted += [other.name for other in self.box.producers(param.entity)][:1]
        for name in wanted:
            if name not in self.done and len(self.done) < _MOST_TOOLS:
                self.run([name])

    def _known(self, entity: str) -> bool:
        """Whether a result or the user has already given the id of such a thing."""
        found = [record for name, record in self.world.current.items() if same_thing(name, entity)]
        return any(self.script.grounds.has(record.id) for record in found)

    def arguments(self, tool: Tool) -> Json | None:
        """Arguments that validate; None if none can be found."""
        optional = 0
        made: Json = {}
        for param in tool.params:
            query = tool.kind == "find" and is_query(param.name) and kind_of(param.schema) == "string"
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

    def perform(self, steps: list[Step]) -> None:
        """Asks, warns, confirms, calls and tells, for steps that go into one turn."""
        missing = self._missing(steps)
        final = next((step for step in steps if step.tool.final), None)
        at_once = final is not None and 0 < len(missing) <= 2 and self.rng.random() < 0.5
        if missing:
            questions.ask(self, steps, missing, final if at_once else None)
        if final is not None and not at_once:
            questions.confirm(self, final)
        failing = len(self.done) >= self.error_at and len(steps) == 1 and self.error_at >= 0
        if failing:
            self.error_at = -1
            errors.fail_first(self, steps[0])
        self.make_calls(steps)

    def _missing(self, steps: Sequence[Step]) -> list[Leaf]:
        return [leaf for step in steps for leaf in self.script.unsaid(step.tool.spec, step.arguments)]

    def make_calls(self, steps: Sequence[Step]) -> None:
        """Calls, takes in the answers, and holds back what there is to tell."""
        calls = [
            Call(step.tool.spec, step.arguments, step.response or self.world.answer(step.tool, step.arguments))
            for step in steps
        ]
        self.script.call(*calls)
        for step, call in zip(steps, calls, strict=True):
            self.done.append(step.tool.name)
            record = self._concerned(step, call)
            self.script.hold(facts.reported(step.tool, step.arguments, call.response, record, self.world))
        if len(steps) == 1 and steps[0].tool.kind == "find":
            self._choose(steps[0], calls[0])

    def _concerned(self, step: Step, call: Call) -> Record | None:
        if step.tool.kind == "create":
            return next((one for one in self.world.records if call.response.get(one.key) == one.id), None)
        return self.world.referred(step.tool, step.arguments)

    def _choose(self, step: Step, call: Call) -> None:
        """Two look-alikes: the user has to say which."""
        rows = facts.rows_of(call.response)
        record = self.world.record(step.tool.noun or "record")
        row = next((row for row in rows if row.get(record.key) == record.id), None)
        others = [other for other in rows if other is not row]
        if row is None or not others:
            return
        differing = [
            name
            for name in row
            if name != record.key
            and isinstance(row[name], str)
            and all(other.get(name) != row[name] for other in others)
        ]
        self.script.assistant(self.rng.choice(("Which one do you mean?", "Which of them is it?")))
        if differing:
            name = self.rng.choice(differing)
            self.script.user(f"The one with {english.spoken(name)} {phrases.value(row[name])}.")
        else:
            self.script.user(f"{record.id}, please.")


def is_query(name: str) -> bool:
    """Whether a parameter takes the words to search for."""
    return any(word in _QUERY for word in english.split_name(name))
