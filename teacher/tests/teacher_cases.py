"""A workflow of a lending library for the offline teacher's dialogues, and readers of its answers."""

import json
from typing import Any

from gem_tasks import prompts
from gem_tasks.checks import run_checks
from gem_tasks.domain.finding import Finding
from gem_tasks.domain.trajectory import Trajectory
from gem_tasks.domain.workflow import ToolSpec
from gem_tasks.prompts.dialogue import parse_tools, parse_trajectory, render_tools
from gem_tasks.prompts.tags import one
from offline_teacher.server.app import MODEL

TEXT = """# Renew a loan at the desk

A loan can be renewed for at most 3 weeks. Loans of reserved books cannot be renewed at the desk.

1. Find the reader by name or card number.
2. Open the loan and check that nobody else has reserved the book.
3. Renew the loan and choose how the reader is told: by letter, by email or by text message.
4. You must print the receipt before you close the loan.
"""


def tool(name: str, description: str, required: list[str], **properties: Any) -> ToolSpec:
    schema = {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
    return ToolSpec(name=name, description=description, parameters=schema)


ID = {"type": "string", "minLength": 3}
TOOLS = (
    tool("search_readers", "Finds readers.", ["query"], query={"type": "string", "minLength": 2}),
    tool("list_loans", "Lists the loans of a reader.", ["reader_id"], reader_id=ID),
    tool("get_loan", "Returns a loan.", ["loan_id"], loan_id=ID),
    tool(
        "renew_loan",
        "Renews a loan.",
        ["loan_id", "weeks", "notice"],
        loan_id=ID,
        weeks={"type": "integer", "minimum": 1, "maximum": 3},
        notice={"type": "string", "enum": ["letter", "email", "text_message"]},
    ),
    tool("close_loan", "Closes a loan.", ["loan_id"], loan_id=ID, returned_on={"type": "string", "format": "date"}),
)
WORKFLOW: dict[str, Any] = {
    "description": "Renew a loan for a reader.",
    "steps": ["Find the reader.", "Open the loan.", "Renew it."],
    "actions": [{"name": "renew_loan", "arguments": {"loan_id": "LO-4411", "weeks": 3, "notice": "email"}}],
    "requires": [{"tool": "renew_loan", "after": "get_loan"}, {"tool": "close_loan", "after": "renew_loan"}],
    "execution_graph": "(search_readers)->(list_loans)->(get_loan)->(renew_loan)->(close_loan)",
}


def sections(tools: tuple[ToolSpec, ...] = TOOLS, text: str = TEXT, **workflow: Any) -> dict[str, str]:
    """What `generate` is asked with."""
    return {"tools": render_tools(tools), "workflow": json.dumps({**WORKFLOW, **workflow}), "text": text}


def refined(answer: str) -> Trajectory:
    """What the refine stage reads from an answer."""
    return parse_trajectory(answer, parse_tools(one(answer, "toolsets"), "<toolsets>"))


def ungrounded(trajectory: Trajectory) -> list[tuple[str, str, Any]]:
    """`(tool, parameter, value)` of scalars that nobody but the assistant said before the call, letter for letter."""
    said, found = "", []
    for message in trajectory.messages:
        for call in message.tool_calls:
            schema = trajectory.tool(call.name).parameters
            found += [(call.name, *leaf) for leaf in _leaves("", call.arguments, schema) if not _in(leaf[1], said)]
        if message.role != "assistant":
            said += "\n" + (message.content or "")
    return found


def _in(value: Any, said: str) -> bool:
    return json.dumps(value, ensure_ascii=False).strip('"') in said or str(value) in said


def _leaves(name: str, value: Any, schema: Any):
    schema = schema if isinstance(schema, dict) else {}
    if isinstance(value, dict):
        for key, part in value.items():
            yield from _leaves(key, part, schema.get("properties", {}).get(key, {}))
    elif isinstance(value, list):
        for part in value:
            yield from _leaves(name, part, schema.get("items") or {})
    elif not (value is None or isinstance(value, bool) or "enum" in schema or "const" in schema):
        if value != schema.get("default"):
            yield name, value


def troubling(trajectory: Trajectory) -> list[Finding]:
    """Findings, without the question that is always the judge's: whether an order was a clear enough yes."""
    return [finding for finding in run_checks(trajectory) if finding.kind != "instructed_only"]


URL = "http://teacher/v1/chat/completions"


def question(name="filter", **changes):
    messages = [message.model_dump(include={"role", "content"}) for message in prompts.load(name).messages(text=TEXT)]
    return {"model": MODEL, "messages": messages, **changes}
