"""What a conversation will carry out: calls in order, several in one step where they do not depend on each other."""

import json
import random
from dataclasses import dataclass
from typing import Any

from gem_tasks.domain.trajectory import Trajectory
from gem_tasks.domain.workflow import ExecutionGraph, ToolSpec
from gem_tasks.teacher.conversation import Call
from gem_tasks.teacher.values import example
from gem_tasks.teacher.world import reads


@dataclass(frozen=True, slots=True)
class Plan:
    """Lookups first, then the calls that change something."""

    lookups: list[list[Call]]
    writes: list[Call]


def from_workflow(data: dict[str, Any], tools: tuple[ToolSpec, ...], rng: random.Random) -> Plan:
    """The nodes of the execution graph with the workflow's own arguments."""
    given = {str(action["name"]): dict(action["arguments"]) for action in data.get("actions", [])}
    try:
        nodes = ExecutionGraph.parse(str(data.get("execution_graph", ""))).nodes
    except ValueError:
        nodes = tuple((tool.name,) for tool in tools)
    defined = {tool.name: tool for tool in tools}
    calls = [
        [(name, given.get(name) or arguments(defined[name], rng)) for name in node if name in defined] for node in nodes
    ]
    return _plan([node for node in calls if node])


def from_draft(draft: Trajectory) -> Plan:
    """The calls of a conversation that succeeded, each once."""
    results = {message.tool_call_id: message.content or "" for message in draft.messages if message.role == "tool"}
    seen: set[str] = set()
    nodes: list[list[Call]] = []
    for message in draft.messages:
        node = [
            (call.name, call.arguments)
            for call in message.tool_calls
            if call.name not in seen and draft.tool(call.name) and not _failed(results.get(call.id, ""))
        ]
        seen.update(name for name, _ in node)
        nodes += [node] if node else []
    return _plan(nodes)


def arguments(tool: ToolSpec, rng: random.Random) -> dict[str, Any]:
    """A value for every parameter of a tool."""
    properties: dict[str, Any] = tool.parameters.get("properties") or {}
    return {key: example(key, schema, rng) for key, schema in properties.items()}


def _plan(nodes: list[list[Call]]) -> Plan:
    lookups = [[call for call in node if reads(call[0])] for node in nodes]
    return Plan([node for node in lookups if node], [call for node in nodes for call in node if not reads(call[0])])


def _failed(content: str) -> bool:
    try:
        data = json.loads(content)
    except ValueError:
        return False
    return isinstance(data, dict) and "error" in data
