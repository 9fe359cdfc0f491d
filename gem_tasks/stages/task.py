"""The stage `task`: tasks in a world, with the runs that are right. What carries them out is `worlds.goals.proven`."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, Literal, cast

from pydantic import Field, TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError

from gem_tasks.domain.base import Json, Value
from gem_tasks.domain.chat import ChatMessage, Sampling
from gem_tasks.domain.outcome import Accepted, Malformed, Rejected
from gem_tasks.domain.record import Record
from gem_tasks.plans.menus import shipped
from gem_tasks.plans.task_plans import draw_assistant, draw_tasks, shipped_tasks
from gem_tasks.prompts import Prompt
from gem_tasks.prompts.dialogue import render_tools
from gem_tasks.prompts.tags import TagError, blocks, one, parse_json, strip_thinking
from gem_tasks.stages.base import Stage
from gem_tasks.stages.generate import main_workflow, render_workflow
from gem_tasks.worlds.built import Built
from gem_tasks.worlds.caps import Caps
from gem_tasks.worlds.goals import seed_facts
from gem_tasks.worlds.goals.resolved import places
from gem_tasks.worlds.scenario import Event, Fault, Scenario, Trigger
from gem_tasks.worlds.steps import Call, Deed, Step, Turn
from gem_tasks.worlds.task import Condition, Task, Tasks, Variant, Wish
from gem_tasks.worlds.world import World

COUNT = 3
"""Tasks of one request."""
_MOST = 2 * COUNT
"""Tasks of one answer."""
_VARIANTS = 2, 3
_FIRST = re.compile(r"first(?=$|[,;:.])", re.IGNORECASE)
"""Also "first, but without the second sentence"."""


class WriteTasks(Stage):
    """Accepts with `Tasks` that nothing has run yet."""

    name = "task"
    version = 2
    sampling = Sampling(temperature=0.8, max_tokens=24576, least=4096)
    needs = ("extract", "world")
    asks_for = (
        "<task>", "<title>", "<system>", "<persona>", "<wishes>", "<knows>", "<deeds>", "<outcome>", "<conditions>",
        "<variants>",
    )  # fmt: skip
    output = Tasks

    def request(self, record: Record, prompt: Prompt) -> tuple[ChatMessage, ...]:
        """Tools, workflow, the world and what was drawn, then the text."""
        workflow, built = main_workflow(record), record.needed("world", Built)
        identity = record.segment.segment_id, built.world_id
        plans = draw_tasks(shipped_tasks(), shipped(), COUNT, *identity)
        assistant = draw_assistant(shipped_tasks(), shipped(), *identity)
        return prompt.messages(
            tools=render_tools(workflow.tools),
            workflow=render_workflow(workflow),
            state=_state(built.world.state),
            code=built.world.code,
            plans="\n\n".join(
                [f"All tasks\n{assistant.text}", *(f"Task {at}\n{plan.text}" for at, plan in enumerate(plans, 1))]
            ),
            text=record.segment.text,
        )

    def parse(self, text: str, record: Record) -> Accepted | Rejected | Malformed:
        """Reads all `<task>` blocks and compares them with the world."""
        world = record.needed("world", Built).world
        try:
            tasks = _tasks(blocks(strip_thinking(text), "task"), world)
            return Accepted(payload=tasks.model_dump_json(), measures=tasks.measures)
        except TagError as error:
            return Malformed(complaint=str(error))
        except (RecursionError, PydanticSerializationError) as error:  # nested too deeply for JSON
            return Malformed(complaint=f"it cannot be used: {str(error)[:200]}")


def _state(state: Json) -> str:
    """One record a line."""
    lines: list[str] = []
    for table, records in state.items():
        rows = cast("Json", records) if isinstance(records, dict) else None
        told = ",\n".join(f"  {json.dumps(key)}: {_line(row)}" for key, row in (rows or {}).items())
        lines.append(f"{json.dumps(table)}: " + (f"{{\n{told}\n}}" if rows else _line(records)))
    return "{\n" + ",\n".join(lines) + "\n}"


def _line(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _tasks(found: list[str], world: World) -> Tasks:
    if not found:
        raise TagError("expected at least one <task>…</task>")
    if len(found) > _MOST:
        raise TagError(f"found {len(found)} tasks; write one for each plan")
    system = _optional(found[0], "system")
    tasks: list[Task] = []
    for number, block in enumerate(found, 1):
        try:
            tasks.append(_task(block, system, world))
        except TagError as error:
            raise TagError(f"task {number}: {error}") from None
    return Tasks(tasks=tuple(tasks))


def _task(block: str, system: str, world: World) -> Task:
    deeds = _read(dict[str, _Deed], _optional(block, "deeds") or "{}", "<deeds>")
    variants = _read(list[_Variant], one(block, "variants"), "<variants>")
    outcome = _read(_Outcome, one(block, "outcome"), "<outcome>")
    try:
        task = Task(
            title=one(block, "title"),
            system=_optional(block, "system") or system,
            persona=one(block, "persona"),
            wishes=_read(tuple[Wish, ...], one(block, "wishes"), "<wishes>"),
            knows=_read(tuple[str, ...], _optional(block, "knows") or "[]", "<knows>"),
            deeds={name: deed.words for name, deed in deeds.items()},
            tables=outcome.tables,
            volatile=outcome.volatile,
            traces=outcome.traces,
            conditions=_read(tuple[Condition, ...], _optional(block, "conditions") or "[]", "<conditions>"),
            variants=tuple(_variant(each, deeds) for each in variants),
        )
    except ValidationError as error:
        raise TagError(_first(error)) from None
    for fault in _faults(task, world):
        raise TagError(fault)
    return task


class _Deed(Value):
    words: str = Field(min_length=1)
    code: str


class _Outcome(Value):
    tables: tuple[str, ...] = Field(min_length=1)
    volatile: tuple[str, ...] = ()
    traces: tuple[str, ...] = ()


class _Event(Value):
    trigger: Trigger
    code: str


class _Call(Value):
    name: str
    arguments: Json = Field(default_factory=dict)


class _Step(Value):
    """Exactly one of them."""

    turn: str | None = None
    call: _Call | None = None
    deed: str | None = None

    def step(self) -> Step:
        """As the runtime takes it."""
        if self.call:
            return Call(name=self.call.name, arguments=self.call.arguments)
        return Deed(name=self.deed) if self.deed else Turn()


class _Variant(Value):
    name: str = Field(min_length=1)
    ending: Literal["done", "impossible"] = "done"
    events: dict[str, _Event] = Field(default_factory=dict)
    faults: tuple[Fault, ...] = ()
    reference: tuple[_Step, ...] = Field(min_length=2)


def _variant(given: _Variant, deeds: dict[str, _Deed]) -> Variant:
    events = {name: Event(code=each.code, trigger=each.trigger) for name, each in given.events.items()}
    events |= {name: Event(code=deed.code) for name, deed in deeds.items()}
    if both := sorted(given.events.keys() & deeds.keys()):
        raise TagError(f"variant {given.name}: the event {both[0]} has the name of a deed")
    return Variant(
        name=given.name,
        ending=given.ending,
        scenario=Scenario(events=events, faults=given.faults),
        reference=tuple(each.step() for each in given.reference),
    )


def _faults(task: Task, world: World) -> Iterator[str]:
    """What contradicts the world or itself."""
    tools = {tool.name for tool in world.tools}
    yield from _unknown("<outcome>", "table", [*task.tables, *task.traces], world.state)
    if both := sorted({*task.tables} & {*task.traces}):
        yield f"<outcome> names {both[0]} among tables and traces"
    yield from _unknown("<conditions>", "tool", [each.tool for each in task.conditions], tools)
    yield from _unknown("<conditions>", "tool", [each.other for each in task.conditions if each.kind == "after"], tools)
    if not task.system:
        yield "<system> is missing, in the first task too"
    if not _FIRST.match(task.wishes[0].reveal):
        yield f'the first of <wishes> has "reveal": {task.wishes[0].reveal!r}, and must have "first"'
    yield from _leaks(task, world)
    yield from seed_facts.unknown(task, world.state)
    if not _VARIANTS[0] <= len(task.variants) <= _VARIANTS[1]:
        yield f"<variants> has {len(task.variants)} variants; write two or three"
    yield from _alike(task.variants)
    for variant in task.variants:
        for fault in _faults_of(variant, task, tools):
            yield f"variant {variant.name}: {fault}"


def _leaks(task: Task, world: World) -> Iterator[str]:
    """A wish speaks of the user's world; a tool that is called like an ordinary word is none of these."""
    told = [task.persona, *(text for wish in task.wishes for text in (wish.text, wish.reveal))]
    for name in (tool.name for tool in world.tools if "_" in tool.name or not tool.name.islower()):
        if found := next((text for text in told if name in text), None):
            yield f"persona and wishes must not name tools, as {name} in {found[:80]!r}"


def _alike(variants: Iterable[Variant]) -> Iterator[str]:
    names = Counter(variant.name for variant in variants)
    yield from (f"two variants are called {name}" for name, count in names.items() if count > 1)
    scenarios = Counter(variant.scenario.model_dump_json() for variant in variants)
    if max(scenarios.values()) > 1:
        yield "two variants have the same events and faults, so they are the same"


def _faults_of(variant: Variant, task: Task, tools: set[str]) -> Iterator[str]:
    events = variant.scenario.events
    triggers = [each.trigger for each in events.values() if each.trigger]
    yield from _unknown("events", "tool", [each.tool for each in triggers if each.tool], tools)
    yield from _unknown("events", "event", [name for each in triggers for name in each.needs], events)
    yield from _unknown("faults", "tool", [fault.tool for fault in variant.scenario.faults], tools)
    yield from _unknown("faults", "event", [name for each in variant.scenario.faults for name in each.needs], events)
    calls = [step for step in variant.reference if isinstance(step, Call)]
    yield from _unknown("reference", "tool", [call.name for call in calls], tools)
    deeds = [step.name for step in variant.reference if isinstance(step, Deed)]
    yield from _unknown("reference", "deed", deeds, task.deeds)
    if beyond := Caps().broken(variant.reference):
        yield f"its reference has {beyond}"
    if not calls or isinstance(variant.reference[0], Call):
        yield "its reference must begin with a turn and hold a call"
    for number, call in enumerate(calls, 1):
        if late := [place for place in places(call.arguments) if place >= number]:
            yield f"call {number} of its reference uses the result of call {late[0]}, which comes no earlier"


def _unknown(where: str, what: str, names: Iterable[str], known: Iterable[str]) -> Iterator[str]:
    if unknown := sorted(set(names) - set(known)):
        yield f"{where} names a {what} that does not exist: {unknown[0]}"


def _optional(text: str, tag: str) -> str:
    return one(text, tag) if f"<{tag}>" in text else ""


def _read(of: Any, text: str, what: str) -> Any:
    data = parse_json(text, what)
    try:
        return TypeAdapter(of).validate_python(data)
    except ValidationError as error:
        raise TagError(f"{what}: {_first(error)}") from None


def _first(error: ValidationError) -> str:
    first = error.errors()[0]
    at = ".".join(str(part) for part in first["loc"])
    return f"{at}: {first['msg']}" if at else first["msg"]
