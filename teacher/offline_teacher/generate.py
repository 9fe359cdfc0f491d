"""Generate: a whole conversation that walks a workflow's execution graph over a simulated database."""

import json
import random
import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, cast

from gem_tasks.domain.base import Json
from gem_tasks.domain.workflow import ExecutionGraph
from gem_tasks.prompts.dialogue import parse_tools
from gem_tasks.prompts.tags import TagError
from offline_teacher.reading import english
from offline_teacher.reading.analyse import Analysis, analyse, named
from offline_teacher.talk import endings, people, phrases, rules
from offline_teacher.talk.script import Script
from offline_teacher.talk.state import Walk
from offline_teacher.talk.tools import Tool, Toolbox, toolbox
from offline_teacher.talk.values import Values
from offline_teacher.talk.walk import run
from offline_teacher.talk.world import World, nature

_LEADS_TO_VALUE = re.compile(
    r"\W*+(?:fields?|box|column|option|parameter)?\W*+(?:to|as|is|enter|type|choose|select|specify)?\W*+$", re.I
)
_SCREEN_PART = re.compile(r"\W*(?:fields?|page|action|button|tab|fasttab|column|window|menu|icon|check ?box)\b", re.I)
_HOUSE_RULES = (
    "Before anything that cannot simply be undone, state its key values and wait for a clear yes from the user.",
    "Use only IDs that a tool has returned or the user has given; ask for what is missing.",
)


def answer(sections: dict[str, str], seed: int) -> str:
    """The `<trajectory>` of `prompts/generate.md` for the sections `tools`, `workflow` and `text`."""
    rng = random.Random(seed)  # noqa: S311 - reproducible, not secret
    try:
        specs = parse_tools(sections.get("tools", ""))
    except TagError:
        specs = ()
    workflow, text = _workflow(sections.get("workflow", "")), sections.get("text", "")
    found = analyse(text)
    walk = _begin(toolbox(specs), found, workflow, text, rng)
    nodes = _nodes(workflow, walk.box)
    goal = _goal([walk.box.tools[name] for node in nodes for name in node if name in walk.box.tools], workflow)
    walk.script.system(_system(walk, goal))
    _open(walk, nodes, goal)
    conflict_at = rng.randrange(1, max(2, len(nodes)))
    for index, node in enumerate(nodes):
        walk.upcoming = [name for later in nodes[index:] for name in later]
        if index == conflict_at:
            endings.conflict(walk)
        run(walk, node)
    endings.finish(walk)
    return walk.script.render()


def _begin(box: Toolbox, found: Analysis, workflow: Json, text: str, rng: random.Random) -> Walk:
    """Everything that a conversation needs before its first word."""
    setting = people.setting(rng)
    own = _own_values(workflow, text, found)
    values = Values(rng, setting.today, people.company(rng), people.person(rng), own)
    world = World(rng, box, values, setting)
    requires = _requires(workflow)
    pairs = [(name, before) for name, befores in requires.items() for before in befores]
    order = rules.in_order(
        (box.tools[name], box.tools[before]) for name, before in pairs if {name, before} <= set(box.tools)
    )
    numbered = rules.numbered(found, [*order, *_HOUSE_RULES])
    walk = Walk(rng, setting, box, values, world, Script(), numbered, requires)
    walk.conflicts = rules.conflicts(rules.numbered(found))
    walk.error_at = rng.randrange(max(1, min(6, len(box.tools))))
    _look_alike(walk)
    return walk


def _look_alike(walk: Walk) -> None:
    """Half of the worlds hold a second record that answers to the same name."""
    finds = [tool for tool in walk.box.tools.values() if tool.kind == "find" and tool.noun]
    if finds and walk.rng.random() < 0.5:
        record = walk.world.record(finds[0].noun)
        if nature(record.entity) != "thing":
            walk.world.make(record.entity, current=False, like=record)


def _own_values(workflow: Json, text: str, found: Analysis) -> dict[str, list[Any]]:
    """By parameter: what the text enters in a field of that name, and values of the planned calls that it contains."""
    own: dict[str, list[Any]] = {}
    for action in _objects(workflow.get("actions")):
        arguments = action.get("arguments")
        for name, value in cast(Json, arguments).items() if isinstance(arguments, dict) else ():
            told = isinstance(value, str) and len(value) > 2 and value.casefold() in text.casefold()
            if told or (isinstance(value, float | int) and re.search(rf"(?<!\d){re.escape(str(value))}(?!\d)", text)):
                own.setdefault(name, []).append(value)
    for sentence in found.sentences:
        for name, value in pairwise(named(sentence.raw)):
            _, _, after = sentence.raw.partition(name)
            between, _, after = after.partition(value)
            if _LEADS_TO_VALUE.match(between) and not _SCREEN_PART.match(after):
                own.setdefault("_".join(english.split_name(name)), []).append(value)
    return own


def _workflow(text: str) -> Json:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return cast(Json, data) if isinstance(data, dict) else {}


def _objects(value: Any) -> list[Json]:
    return [item for item in cast("list[Any]", value) if isinstance(item, dict)] if isinstance(value, list) else []


def _requires(workflow: Json) -> dict[str, list[str]]:
    pairs: dict[str, list[str]] = {}
    for pair in _objects(workflow.get("requires")):
        pairs.setdefault(str(pair.get("tool")), []).append(str(pair.get("after")))
    return pairs


def _nodes(workflow: Json, box: Toolbox) -> Sequence[Sequence[str]]:
    """The graph's nodes; every tool in its order where there is no graph to read."""
    try:
        return ExecutionGraph.parse(str(workflow.get("execution_graph", ""))).nodes
    except ValueError:
        return [[name] for name in box.tools]


def _goal(tools: Sequence[Tool], workflow: Json) -> str:
    """`create a sales order and post it`: the first writes, or what the workflow is said to be for."""
    writes = [tool for tool in tools if tool.kind in ("create", "change")] or list(tools)
    said: list[str] = []
    before = ""
    for tool in writes[:3]:
        said.append(f"{tool.verb} it" if before and tool.noun == before else tool.action())
        before = tool.noun
    return english.join(said) or str(workflow.get("description", ""))[:80].rstrip(". ").lower() or "sort something out"


def _system(walk: Walk, goal: str) -> str:
    user, rng = walk.setting.user, walk.rng
    role = rng.choice(
        (
            f"You are the assistant of {walk.setting.organisation}. You help staff to {goal}, with the tools you have.",
            f"You work at {walk.setting.organisation} as a digital assistant. People ask you to {goal}; use your "
            "tools for it.",
            f"You are a service assistant at {walk.setting.organisation}. Your job: {goal} on request, using the "
            "tools only.",
        )
    )
    today = f"Today is {walk.setting.today:%A}, {walk.setting.today.isoformat()}."
    who = f"You are talking to {user.name} ({user.role}, staff number {user.number}, {user.email})."
    listed = "\n".join(f"{rule.number}. {rule.text}" for rule in walk.rules)
    return f"{role}\n{today} {who}\n\nRules:\n{listed}"


def _open(walk: Walk, nodes: Sequence[Sequence[str]], goal: str) -> None:
    """The user's first words: the purpose, perhaps the name it is filed under, and not yet all that is needed."""
    opening = walk.say(phrases.NEED).format(goal=goal)
    first = walk.box.tools.get(nodes[0][0]) if nodes and nodes[0] else None
    if first is not None and first.kind == "find" and first.noun and walk.rng.random() < 0.4:
        label = phrases.value(walk.world.record(first.noun).label)
        opening += " " + walk.rng.choice(
            (
                f"It's about {label}.",
                f"The {first.noun} in question: {label}.",
                f"You should find it under {label}.",
            )
        )
    walk.script.user(
        f"{walk.say(phrases.GREETING)} {opening if walk.style == 'hurried' else english.sentence(opening)}"
    )
