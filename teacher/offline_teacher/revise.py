"""Revise: undoes what the fault `rate_suffixed` did. Other faults it leaves as they are."""

from typing import Any, cast

from gem_tasks.domain.trajectory import Message
from gem_tasks.prompts.dialogue import parse_tools, parse_trajectory, render_tools, render_trajectory
from offline_teacher.server.spoil import SUFFIX


def answer(sections: dict[str, str], seed: int) -> str:
    """`<toolsets>` and `<trajectory>` of `prompts/revise.md`: as they were, without the suffixes.

    Raises:
        TagError: the refused conversation cannot be read.
    """
    del seed  # there is one correction
    tools = parse_tools(sections.get("tools", ""))
    refused = parse_trajectory(sections.get("trajectory", ""), tools)
    messages = [_corrected(message) for message in refused.messages]
    written = render_tools(tools).replace("<", "\\u003c")
    return f"<toolsets>{written}</toolsets>\n{render_trajectory(messages)}"


def _corrected(message: Message) -> Message:
    calls = [call.model_copy(update={"arguments": _without(call.arguments)}) for call in message.tool_calls]
    return message.model_copy(update={"tool_calls": tuple(calls)})


def _without(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without(part) for key, part in cast("dict[str, Any]", value).items()}
    if isinstance(value, list):
        return [_without(part) for part in cast("list[Any]", value)]
    return value.removesuffix(SUFFIX) if isinstance(value, str) else value
