"""Stage 2: extracts the procedures of a text as workflows over tools (paper section 3.2, stage 2).

Beyond the paper, JSON Schemas contain the limits of the text, and `requires` the order that it demands.
"""

import re

from pydantic import ValidationError

from gem_tasks.checks.schema import argument_faults, tool_faults
from gem_tasks.domain.chat import ChatMessage, Sampling
from gem_tasks.domain.outcome import Accepted, Malformed, Rejected
from gem_tasks.domain.record import Record, Topic
from gem_tasks.domain.workflow import ExecutionGraph, Extraction, PlannedCall, Requirement, ToolSpec, Workflow
from gem_tasks.prompts import Prompt
from gem_tasks.prompts.dialogue import parse_tools
from gem_tasks.prompts.tags import TagError, blocks, json_list, one, strip_thinking
from gem_tasks.stages.base import Stage


class Extract(Stage):
    """Accepts with an `Extraction`; an answer that contradicts itself is malformed."""

    name = "extract"
    version = 1
    sampling = Sampling(temperature=0.3, max_tokens=8192, least=768)
    needs = ("filter",)
    asks_for = (
        "<workflow>", "<description>", "<steps>", "<execution_graph>", "<actions>", "<tools>", "<requires>"
    )  # fmt: skip
    output = Extraction

    def request(self, record: Record, prompt: Prompt) -> tuple[ChatMessage, ...]:
        """Sends the filter's summary, then the text."""
        topic = record.output("filter", Topic)
        return prompt.messages(summary=topic.summary if topic else "", text=record.segment.text)

    def parse(self, text: str, record: Record) -> Accepted | Rejected | Malformed:
        """Reads all `<workflow>` blocks and compares graph, actions, tools and requirements."""
        try:
            found = blocks(strip_thinking(text), "workflow")
            if not found:
                raise TagError("expected at least one <workflow>…</workflow>")
            return Accepted.of(Extraction(workflows=tuple(_workflow(block) for block in found)))
        except TagError as error:
            return Malformed(complaint=str(error))


def _workflow(block: str) -> Workflow:
    tools = parse_tools(one(block, "tools"))
    actions, requires = (json_list(one(block, tag), f"<{tag}>") for tag in ("actions", "requires"))
    try:
        workflow = Workflow(
            description=one(block, "description"),
            steps=_steps(one(block, "steps")),
            execution_graph=ExecutionGraph.parse(one(block, "execution_graph")),
            actions=tuple(PlannedCall.model_validate(item) for item in actions),
            tools=tools,
            requires=tuple(Requirement.model_validate(item) for item in requires),
        )
    except ValidationError as error:
        first = error.errors()[0]
        raise TagError(f"{first['loc']}: {first['msg']}") from None
    except TagError:
        raise
    except ValueError as error:
        raise TagError(f"<execution_graph>: {error}") from None
    _consistent(workflow)
    return workflow


def _steps(text: str) -> tuple[str, ...]:
    lines = (re.sub(r"^\s*(?:\d+[.)]|[-*])\s*", "", line).strip() for line in text.splitlines())
    steps = tuple(line for line in lines if line)
    if not steps:
        raise TagError("<steps> is empty")
    return steps


def _consistent(workflow: Workflow) -> None:
    tools = {tool.name: tool for tool in workflow.tools}
    for tool in workflow.tools:
        for fault in tool_faults(tool):
            raise TagError(f"<tools>: {fault}")
    graph = list(workflow.execution_graph.names())
    _defined("<execution_graph>", graph, tools)
    _defined("<requires>", [name for pair in workflow.requires for name in (pair.tool, pair.after)], tools)
    _defined("<actions>", [action.name for action in workflow.actions], tools)
    if unused := sorted(set(tools) - set(graph)):
        raise TagError(f"<execution_graph> does not use these tools: {', '.join(unused)}")
    for action in workflow.actions:
        for path, fault in argument_faults(tools[action.name], action.arguments):
            raise TagError(f"<actions>: {action.name} at {path}: {fault}")


def _defined(where: str, names: list[str], tools: dict[str, ToolSpec]) -> None:
    if unknown := sorted(set(names) - set(tools)):
        raise TagError(f"{where} names tools that <tools> does not define: {', '.join(unknown)}")
