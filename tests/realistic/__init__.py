"""Conversations as real models write them, typed by hand: paraphrase, `next Friday`, units, nesting, parallel calls.

The offline teacher never paraphrases, so false positives measured on its output say little about a real model's. One
file is one sound conversation: `<text>` (the source), `<requires>` (optional, `tool after other` a line), `<tools>` (a
line each: `name: description | {"field": "string", "optional?": ["a", "b"], "other": {schema}}`) and `<trajectory>` in
the pipeline's own form.
"""

import json
from pathlib import Path
from typing import Any

from gem_tasks.checks.reading.case import Evidence
from gem_tasks.domain.trajectory import Trajectory
from gem_tasks.domain.workflow import ExecutionGraph, Extraction, Requirement, ToolSpec, Workflow
from gem_tasks.prompts.dialogue import parse_trajectory
from gem_tasks.prompts.tags import one

FILES = sorted(Path(__file__).parent.glob("*.txt"))


def load(path: Path) -> tuple[Trajectory, Evidence]:
    """A conversation, and what it was made from."""
    raw = path.read_text(encoding="utf-8")
    tools = tuple(_tool(line) for line in one(raw, "tools").strip().splitlines())
    return parse_trajectory(raw, tools), Evidence(one(raw, "text").strip(), _extraction(raw, tools))


def _extraction(raw: str, tools: tuple[ToolSpec, ...]) -> Extraction:
    pairs = [line.split(" after ") for line in one(raw, "requires").strip().splitlines()] if "<requires>" in raw else []
    requires = tuple(Requirement(tool=tool.strip(), after=after.strip()) for tool, after in pairs)
    graph = ExecutionGraph.parse("->".join(f"({tool.name})" for tool in tools))
    steps = ("Follow the text.",)
    workflow = Workflow(description="d", steps=steps, execution_graph=graph, tools=tools, requires=requires)
    return Extraction(workflows=(workflow,))


def _tool(line: str) -> ToolSpec:
    head, fields = line.split(" | ", 1)
    name, description = head.split(": ", 1)
    given: dict[str, Any] = json.loads(fields)
    schema = {
        "type": "object",
        "properties": {key.rstrip("?"): _schema(value) for key, value in given.items()},
        "required": [key for key in given if not key.endswith("?")],
        "additionalProperties": False,
    }
    return ToolSpec(name=name.strip(), description=description, parameters=schema)


def _schema(value: Any) -> Any:
    if isinstance(value, list):
        return {"type": "string", "enum": value}
    return value if isinstance(value, dict) else {"type": value}
