"""The turns of a conversation: roles in order, one answer per call, ids that match.

The grammar is the paper's (appendix, generation prompt): user or tool → assistant; assistant with a call → tool;
assistant without → user; tool → user never. Parallel calls are one assistant message and may be answered in any order.
"""

from collections.abc import Iterator
from itertools import pairwise

from gem_tasks.checks.faults import Fault, finding
from gem_tasks.checks.reading.case import Case
from gem_tasks.domain.finding import Finding
from gem_tasks.domain.trajectory import Message

CHECK = "structure"

# Allowed successions of roles. "call" is an assistant message with calls.
_NEXT = {
    "start": {"system"},
    "system": {"user"},
    "user": {"assistant", "call"},
    "assistant": {"user"},
    "call": {"tool"},
    "tool": {"tool", "assistant", "call"},
}


def check(case: Case) -> Iterator[Finding]:
    """Findings for wrong order, unanswered or doubly answered calls, repeated ids and empty messages."""
    seen: set[str] = set()
    waiting: list[str] = []
    before = "start"
    for index, message in enumerate(case.messages):
        kind = "call" if message.tool_calls else message.role
        if waiting and kind != "tool":
            yield finding(Fault.UNANSWERED_CALL, f"{len(waiting)} calls are not answered before the next turn", index)
        elif kind not in _NEXT[before]:
            yield finding(Fault.ROLE_ORDER, f"{message.role} may not follow {before}", index)
        yield from _message(message, index, seen, waiting)
        before = kind
    last = len(case.messages) - 1
    if before != "assistant":
        yield finding(Fault.ENDING, "the last message must be the assistant's, without a call", max(last, 0))
    yield from _echoes(case)


def _message(message: Message, index: int, seen: set[str], waiting: list[str]) -> Iterator[Finding]:
    """Checks one message and keeps `seen` and `waiting` (ids of calls without an answer) up to date."""
    if not (message.content or "").strip() and not message.tool_calls:
        yield finding(Fault.EMPTY, f"{message.role} says nothing", index)
    if message.tool_calls and message.role != "assistant":
        yield finding(Fault.CALLER, f"{message.role} may not call tools", index)
    if message.tool_call_id is not None and message.role != "tool":
        yield finding(Fault.STRAY_ANSWER_ID, f"{message.role} carries a tool_call_id", index)
    if message.role == "tool":
        if message.tool_call_id in waiting:
            waiting.remove(message.tool_call_id)
        else:
            detail = f"answers {message.tool_call_id!r}, which waits for no answer"
            yield finding(Fault.STRAY_ANSWER, detail, index)
        return
    waiting[:] = [call.id for call in message.tool_calls]
    if not all(call_id.strip() for call_id in waiting):
        yield finding(Fault.EMPTY_ID, "a call has no id", index)
    doubled = {call_id for call_id in waiting if call_id in seen or waiting.count(call_id) > 1}
    seen.update(waiting)
    if doubled:
        yield finding(Fault.DOUBLED_ID, f"call ids are used twice: {', '.join(sorted(doubled))}", index)


def _echoes(case: Case) -> Iterator[Finding]:
    """Finds long turns of user or assistant that repeat the other role's preceding turn word for word.

    This is the sign of a swapped or copied role where the order of roles is intact.
    """
    spoken = [
        (index, message.role, (message.content or "").strip())
        for index, message in enumerate(case.messages)
        if message.role in ("user", "assistant")
    ]
    for (_, role, text), (index, other, again) in pairwise(spoken):
        if role != other and text == again and len(text) > _SHORT:
            yield finding(Fault.PARROT, f"{other} repeats the {role}'s message", index)


_SHORT = 24
"""Up to this many characters, two people may say the same by chance."""
