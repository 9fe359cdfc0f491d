"""The minimum for a trajectory to teach multi-turn tool use, and the most that the checks read."""

from collections.abc import Iterator

from gem_tasks.checks.faults import Fault, finding
from gem_tasks.checks.reading.case import Case, scalars
from gem_tasks.domain.finding import Finding

CHECK = "complexity"

MIN_USER_TURNS = 2
MIN_CALLS = 3
MIN_DISTINCT_TOOLS_CALLED = 2
MOST_MESSAGES, MOST_TOOLS, MOST_CALLS, MOST_VALUES = 2000, 500, 1000, 2000
MOST_STEPS, MOST_REQUIREMENTS = 500, 100
"""Far beyond any conversation that people would read: the checks compare each of these with all that was said."""
MOST_SEARCHED = 200_000_000
MOST_CHARACTERS = 4_000_000
"""Of all messages; one answer of a model has a million at most."""


def check(case: Case) -> Iterator[Finding]:
    """Findings for too few user turns, calls, or different tools."""
    calls = [call.name for message in case.messages for call in message.tool_calls]
    users = sum(message.role == "user" for message in case.messages)
    bounds = (
        ("user turns", users, MIN_USER_TURNS),
        ("calls", len(calls), MIN_CALLS),
        ("different tools called", len(set(calls)), MIN_DISTINCT_TOOLS_CALLED),
    )
    for what, count, least in bounds:
        if count < least:
            yield finding(Fault.TOO_FEW, f"{count} {what}, at least {least} expected")


def excess(case: Case) -> Iterator[Finding]:
    """Findings for a conversation that is too large for the other checks, which then do not run."""
    calls = [call for message in case.messages for call in message.tool_calls]
    values = sum(1 for call in calls for _ in scalars(call.arguments))
    said = sum(len(message.content or "") + len(message.reasoning or "") for message in case.messages)
    extraction = case.evidence.extraction
    workflow = extraction.workflows[0] if extraction else None
    bounds = (
        ("messages", len(case.messages), MOST_MESSAGES),
        ("characters", said, MOST_CHARACTERS),
        ("characters times values and tools", said * (values + len(case.trajectory.tools)), MOST_SEARCHED),
        ("tools", len(case.trajectory.tools), MOST_TOOLS),
        ("calls", len(calls), MOST_CALLS),
        ("values in arguments", values, MOST_VALUES),
        ("steps of the workflow", len(workflow.steps) if workflow else 0, MOST_STEPS),
        ("tools of the workflow", len(workflow.tools) if workflow else 0, MOST_TOOLS),
        ("requirements of the workflow", len(workflow.requires) if workflow else 0, MOST_REQUIREMENTS),
    )
    for what, count, most in bounds:
        if count > most:
            yield finding(Fault.TOO_MUCH, f"{count:,} {what}; the checks read {most:,} at most")
