"""Small valid values that a test bends in the one place it is about."""

from typing import Any

from gem_tasks.domain.corpus import Segment
from gem_tasks.domain.plan import Plan
from gem_tasks.domain.record import Record, Topic
from gem_tasks.domain.trajectory import Draft, Message, ToolCall, Trajectory
from gem_tasks.domain.workflow import ExecutionGraph, Extraction, PlannedCall, ToolSpec, Workflow

TEXT = "1. Find the loan.\n2. Renew it, at most twice.\n3. Tell the reader the new date."


def make_tool(name: str = "get_loan", **properties: Any) -> ToolSpec:
    properties = properties or {"loan_id": {"type": "string"}}
    schema = {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}
    return ToolSpec(name=name, description=f"{name} of the library", parameters=schema)


TOOLS = (make_tool("get_loan"), make_tool("renew_loan", loan_id={"type": "string"}, weeks={"type": "integer"}))


def call(number: int, name: str, **arguments: Any) -> Message:
    made = ToolCall(id=f"call_{number}", name=name, arguments=arguments)
    return Message(role="assistant", tool_calls=(made,))


def result(number: int, content: str = '{"ok": true}') -> Message:
    return Message(role="tool", content=content, tool_call_id=f"call_{number}")


def say(role: Any, content: str = "words") -> Message:
    return Message(role=role, content=content)


def make_trajectory(*messages: Message, tools: tuple[ToolSpec, ...] = TOOLS) -> Trajectory:
    """A valid conversation, unless messages are given."""
    default = (
        say("system", "Loans are renewed at most twice."),
        say("user", "Please look at loan L-7."),
        call(1, "get_loan", loan_id="L-7"),
        result(1, '{"loan_id": "L-7", "renewals": 1}'),
        say("assistant", "Renewed once so far. Renew it for 2 weeks?"),
        say("user", "Yes, 2 weeks."),
        call(2, "renew_loan", loan_id="L-7", weeks=2),
        result(2),
        call(3, "get_loan", loan_id="L-7"),
        result(3, '{"loan_id": "L-7", "renewals": 2}'),
        say("assistant", "Done."),
    )
    return Trajectory(tools=tools, messages=messages or default)


def make_draft(plan: Plan | None = None) -> Draft:
    made = make_trajectory()
    return Draft(tools=made.tools, messages=made.messages, plan=plan)


def make_segment(text: str = TEXT, number: int = 0) -> Segment:
    return Segment(
        segment_id=f"doc{number:04d}.0-{len(text)}",
        document_id=f"doc{number:04d}",
        document_uri=f"file:///doc{number}.md",
        license="CC0-1.0",
        language="en",
        start=0,
        end=len(text),
        tokens=20,
        text=text,
    )


def make_record(**stages: Any) -> Record:
    workflow = Workflow(
        description="Renewing a loan.",
        steps=("Find the loan.", "Renew it."),
        execution_graph=ExecutionGraph.parse("(get_loan)->(renew_loan)"),
        actions=(PlannedCall(name="get_loan", arguments={"loan_id": "L-7"}),),
        tools=TOOLS,
    )
    made: dict[str, Any] = {
        "filter": Topic(
            summary="A reader renews a loan.",
            platform="operator",
            domains=("books_and_literature",),
            task_category="customer_support",
        ),
        "extract": Extraction(workflows=(workflow,)),
        "generate": make_draft(),
        "refine": make_trajectory(),
    }
    return Record(segment=make_segment(), outputs=made | stages)
