"""The stage `world`: an executable system behind a workflow's tools. What runs its code is `worlds.trials`."""

import re
from typing import Any, cast

from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError

from gem_tasks.domain.base import Json
from gem_tasks.domain.chat import ChatMessage, Sampling
from gem_tasks.domain.outcome import Accepted, Malformed, Rejected
from gem_tasks.domain.record import Record
from gem_tasks.domain.workflow import Workflow
from gem_tasks.plans.world_style import draw_style, shipped_worlds
from gem_tasks.prompts import Prompt
from gem_tasks.prompts.dialogue import render_tools
from gem_tasks.prompts.tags import TagError, blocks, one, parse_json, strip_thinking
from gem_tasks.stages.base import Stage
from gem_tasks.stages.generate import main_workflow, render_workflow
from gem_tasks.worlds.built import Built, Rule
from gem_tasks.worlds.names import collision
from gem_tasks.worlds.quotes import Quotes
from gem_tasks.worlds.steps import Call
from gem_tasks.worlds.world import Clock, IdFormat, Tool, World

CLOCK = Clock(per_call_s=2, per_turn_s=40)
_NOW = re.compile(r"\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3])(?::[0-5]\d){2}Z")
_PREVIEW = 40
_LONGEST_RUN = 100


class BuildWorld(Stage):
    """Accepts with a `Built` that nothing has run yet."""

    name = "world"
    version = 2
    sampling = Sampling(temperature=0.7, max_tokens=24576, least=4096)
    needs = ("extract",)
    asks_for = ("<state>", "<rules>", "<reads>", "<ids>", "<run>", "<code>")
    output = Built

    def precheck(self, record: Record) -> Rejected | None:
        """Rejects a workflow with two tools whose functions would have the same name."""
        told = collision(tool.name for tool in main_workflow(record).tools)
        return Rejected(reason="tool_name", detail=told) if told else None

    def request(self, record: Record, prompt: Prompt) -> tuple[ChatMessage, ...]:
        """Tools, workflow and what was drawn, then the text."""
        workflow = main_workflow(record)
        return prompt.messages(
            tools=render_tools(workflow.tools),
            workflow=render_workflow(workflow),
            style=draw_style(shipped_worlds(), record.segment.segment_id).text,
            text=record.segment.text,
        )

    def parse(self, text: str, record: Record) -> Accepted | Rejected | Malformed:
        """Reads the parts. Quotations that the text does not contain belong to invented rules."""
        try:
            built = _built(strip_thinking(text), main_workflow(record), Quotes(record.segment.text))
            return Accepted(payload=built.model_dump_json(), measures=built.measures)
        except TagError as error:
            return Malformed(complaint=str(error))
        except (RecursionError, PydanticSerializationError) as error:  # nested too deeply for JSON
            return Malformed(complaint=f"the answer is nested too deeply: {type(error).__name__}")


def _built(text: str, workflow: Workflow, quotes: Quotes) -> Built:
    names = {tool.name for tool in workflow.tools}
    reads = _reads(one(text, "reads"), names)
    try:
        world = World(
            state=_state(one(text, "state")),
            code=_code(one(text, "code")),
            tools=tuple(
                Tool(
                    name=tool.name,
                    parameters=tool.parameters,
                    description=tool.description,
                    reads=tool.name in reads,
                )
                for tool in workflow.tools
            ),
            ids=_read(dict[str, IdFormat], one(text, "ids"), "<ids>"),
            clock=CLOCK,
        )
    except ValidationError as error:
        raise TagError(_first(error)) from None
    return Built(world=world, rules=_rules(one(text, "rules"), names, quotes), run=_run(blocks(text, "run"), names))


def _state(text: str) -> Json:
    found = parse_json(text, "<state>")
    if not isinstance(found, dict):
        raise TagError("<state> must be a JSON object of tables")
    state = cast("Json", found)
    if not any(isinstance(table, dict) and cast("Json", table) for table in state.values()):
        raise TagError("<state> has no table: an object of records by id")
    if not _NOW.fullmatch(str(state.get("now"))):
        raise TagError('<state> needs "now", a time such as "2024-02-29T15:20:08Z"')
    return state


def _code(text: str) -> str:
    """Without a Markdown fence."""
    first, _, rest = text.partition("\n")
    code = rest.rstrip().removesuffix("```") if first.startswith("```") else text
    if not code.strip():
        raise TagError("<code> is empty")
    return code.strip()


def _reads(text: str, names: set[str]) -> set[str]:
    reads = set(_read(list[str], text, "<reads>"))
    if unknown := sorted(reads - names):
        raise TagError(f"<reads> names tools that do not exist: {', '.join(unknown)}")
    return reads


def _rules(text: str, names: set[str], quotes: Quotes) -> tuple[Rule, ...]:
    """The span says where a quotation is; a rule may also name helper functions, which are left out."""
    given = _read(tuple[Rule, ...], text, "<rules>")
    rules: list[Rule] = []
    for rule in given:
        span = quotes.span(rule.quote) if rule.quote else None
        tools = tuple(name for name in rule.tools if name in names)
        rules.append(Rule(text=rule.text, quote=rule.quote if span else None, span=span, tools=tools))
    lost = [rule.quote for rule, kept in zip(given, rules, strict=True) if rule.quote and not kept.span]
    if 2 * len(lost) > sum(bool(rule.quote) for rule in given):
        raise TagError(
            f"<rules>: {len(lost)} quotations are not in Text, among them {lost[0]!r:.120}: copy words of the text"
            " exactly and in one piece, or write null"
        )
    return tuple(rules)


def _run(found: list[str], names: set[str]) -> tuple[Call, ...]:
    """The calls that the writer says succeed. A world without them is tried with the workflow's own."""
    run = _read(tuple[Call, ...], found[0], "<run>") if found else ()
    if len(run) > _LONGEST_RUN:
        raise TagError(f"<run> has {len(run)} calls; up to {_LONGEST_RUN} are enough to use every tool")
    if unknown := sorted({call.name for call in run} - names):
        raise TagError(f"<run> calls tools that do not exist: {', '.join(unknown)}")
    return run


def _read(of: Any, text: str, what: str) -> Any:
    data = parse_json(text, what)
    try:
        return TypeAdapter(of).validate_python(data)
    except ValidationError as error:
        raise TagError(f"{what}: {_first(error)}") from None


def _first(error: ValidationError) -> str:
    first = error.errors()[0]
    at = ".".join(map(str, first["loc"]))
    return f"{at + ': ' if at else ''}{first['msg']}, not {first['input']!r:.{_PREVIEW}}"
