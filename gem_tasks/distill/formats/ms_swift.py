"""ms-swift: roles `tool_call` and `tool_response`, one call per message."""

from gem_tasks.distill.formats.conversation import Conversation, called, calls, dump, reports_error, thinking
from gem_tasks.domain.base import Json


def ms_swift(found: Conversation) -> Json:
    """A message with text and calls becomes several."""
    turns: list[Json] = []
    errors: list[int] = []
    for message in found.messages:
        made = calls(message)
        if message["role"] == "tool":
            if reports_error(message):
                errors.append(len(turns))
            turns.append({"role": "tool_response", "content": message["content"]})
        elif (said := thinking(message) + (message.get("content") or "")) or not made:
            turns.append({"role": message["role"], "content": said})
        turns += [{"role": "tool_call", "content": dump(called(call))} for call in made]
    tools = {"tools": dump(found.tools)} if found.tools else {}
    return {"messages": turns, **tools, "tool_errors": dump(errors)}
