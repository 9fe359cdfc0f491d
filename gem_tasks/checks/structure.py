"""The turns of a conversation: roles in order, one answer per call, ids that match."""

from collections.abc import Iterator

from gem_tasks.domain.finding import Finding, Severity
from gem_tasks.domain.trajectory import Message, Trajectory

CHECK = "structure"

# Who may speak after whom (paper, appendix: turn grammar). "call" is an assistant message with calls.
_NEXT = {
    "start": {"system"},
    "system": {"user"},
    "user": {"assistant", "call"},
    "assistant": {"user"},
    "call": {"tool"},
    "tool": {"tool", "assistant", "call"},
}


def check(trajectory: Trajectory) -> Iterator[Finding]:
    """Findings for wrong order, unanswered or doubly answered calls, repeated ids and empty messages."""
    seen: set[str] = set()
    waiting: list[str] = []
    before = "start"
    for index, message in enumerate(trajectory.messages):
        kind = "call" if message.tool_calls else message.role
        if waiting and kind != "tool":
            yield _finding(f"{len(waiting)} calls are not answered before the next turn", index)
        elif kind not in _NEXT[before]:
            yield _finding(f"{message.role} may not follow {before}", index)
        yield from _message(message, index, seen, waiting)
        before = kind
    if before != "assistant":
        yield _finding("the last message must be the assistant's, without a call", len(trajectory.messages) - 1)


def _message(message: Message, index: int, seen: set[str], waiting: list[str]) -> Iterator[Finding]:
    """Checks one message and keeps `seen` and `waiting` (ids of calls without an answer) up to date."""
    if not (message.content or "").strip() and not message.tool_calls:
        yield _finding(f"{message.role} says nothing", index)
    if message.tool_calls and message.role != "assistant":
        yield _finding(f"{message.role} may not call tools", index)
    if message.role == "tool":
        if message.tool_call_id in waiting:
            waiting.remove(message.tool_call_id)
        else:
            yield _finding(f"answers {message.tool_call_id!r}, which waits for no answer", index)
        return
    waiting[:] = [call.id for call in message.tool_calls]
    doubled = {call_id for call_id in waiting if call_id in seen or waiting.count(call_id) > 1}
    seen.update(waiting)
    if doubled:
        yield _finding(f"call ids are used twice: {', '.join(sorted(doubled))}", index)


def _finding(detail: str, index: int) -> Finding:
    return Finding(check=CHECK, severity=Severity.ERROR, detail=detail, message_index=max(index, 0))
