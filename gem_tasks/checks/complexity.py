"""The minimum for a trajectory to teach multi-turn tool use."""

from collections.abc import Iterator

from gem_tasks.checks.faults import Fault, finding
from gem_tasks.checks.reading.case import Case
from gem_tasks.domain.finding import Finding

CHECK = "complexity"

MIN_USER_TURNS = 2
MIN_CALLS = 3
MIN_DISTINCT_TOOLS_CALLED = 2


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
