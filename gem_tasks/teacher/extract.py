"""Extract: the instructions of a text as one workflow over tools, with its limits in the schemas."""

import json
import random

from gem_tasks.domain.workflow import ToolSpec
from gem_tasks.prompts.dialogue import render_tools
from gem_tasks.prompts.tags import neutral
from gem_tasks.teacher.analyse import analyse
from gem_tasks.teacher.toolkit import CREATING, FINISHING, Draft, build, spoken
from gem_tasks.teacher.values import example

_MOST_STEPS = 30
_ANY = "1. Create the record.\n2. Check the record.\n3. Close the record."


def answer(sections: dict[str, str], seed: int) -> str:
    """The tags of `prompts/extract.md`; a text without instructions gives a workflow of lookups on its own topic."""
    rng = random.Random(seed)  # noqa: S311 - reproducible, not secret
    text, title = sections.get("text", ""), sections.get("summary", "").split(":")[0]
    found = analyse(text)
    drafts = build(found, title) or build(analyse(_ANY), "")
    tools = [draft.spec() for draft in drafts]
    steps = [step.sentence.text for step in found.steps][:_MOST_STEPS] or [tool.description for tool in tools]
    goal = _goal(drafts)
    parts = {
        "description": f"{goal[0].upper()}{goal[1:]}, for somebody who asks an assistant to do it.",
        "steps": "\n".join(f"{number}. {step}" for number, step in enumerate(steps, start=1)),
        "execution_graph": _graph(drafts),
        "actions": json.dumps([_action(tool, rng) for tool in tools], ensure_ascii=False),
        "tools": render_tools(tools),
        "requires": json.dumps(_requires(drafts)),
    }
    body = "\n".join(f"<{tag}>{neutral(content)}</{tag}>" for tag, content in parts.items())
    return f"<workflow>\n{body}\n</workflow>"


def _goal(drafts: list[Draft]) -> str:
    """`create a sales order and post it`, from the writes."""
    writes = [draft for draft in drafts if not draft.reads]
    done = [f"{spoken(draft.action)} the {spoken(draft.entity)}" for draft in writes]
    return f"{', '.join(done[:-1])} and {done[-1]}" if len(done) > 1 else (done or ["look the record up"])[0]


def _graph(drafts: list[Draft]) -> str:
    """In order of use; lookups that need only the first search's id run in parallel."""
    search, *others = [draft.name for draft in drafts if draft.reads]
    nodes = [[search], others, *([draft.name] for draft in drafts if not draft.reads)]
    return "->".join(f"({', '.join(node)})" for node in nodes if node)


def _action(tool: ToolSpec, rng: random.Random) -> dict[str, object]:
    """A call with every parameter, ids alike wherever the same name occurs."""
    properties: dict[str, dict[str, object]] = tool.parameters["properties"]
    shared = random.Random(rng.random())  # noqa: S311
    arguments = {name: example(name, schema, shared) for name, schema in properties.items()}
    if "query" in arguments:
        arguments["query"] = example(tool.name.split("_", 1)[-1], {"type": "string"}, shared)
    return {"name": tool.name, "arguments": arguments}


def _requires(drafts: list[Draft]) -> list[dict[str, str]]:
    """What finishes needs what begins; what changes a thing needs it found."""
    begins = next((draft.name for draft in drafts if draft.action in CREATING), None)
    search = drafts[0].name
    pairs: list[dict[str, str]] = []
    for draft in drafts:
        if draft.reads:
            continue
        if draft.action in FINISHING and begins and begins != draft.name:
            pairs.append({"tool": draft.name, "after": begins})
        elif draft.action not in CREATING:
            pairs.append({"tool": draft.name, "after": search})
    return pairs
