"""A conversation for display: tool messages are part of the calls that they answer, notes are at their messages."""

import json
from collections import defaultdict

from gem_tasks.domain.base import Value
from gem_tasks.domain.indented import indented
from gem_tasks.domain.trajectory import Message, Trajectory


class Note(Value):
    """A finding, or a judge's verdict, to show at a message or above the conversation."""

    check: str
    kind: str = ""
    severity: str
    detail: str
    json_path: str = ""
    quote: str = ""


class CallView(Value):
    """A call with its answer."""

    id: str
    name: str
    arguments: str
    """Pretty-printed JSON."""
    answer: str | None
    """Pretty-printed if it is JSON."""
    answer_index: int | None
    notes: tuple[Note, ...] = ()
    """Notes at the answer."""


class MessageView(Value):
    """A message; tool messages are part of the calls that they answer."""

    index: int
    role: str
    content: str | None
    reasoning: str | None = None
    calls: tuple[CallView, ...] = ()
    notes: tuple[Note, ...] = ()


class ToolView(Value):
    """A tool's definition."""

    name: str
    description: str
    parameters: str
    """Pretty-printed JSON Schema."""
    uses: int


class Talk(Value):
    """A conversation with its tools."""

    messages: tuple[MessageView, ...]
    tools: tuple[ToolView, ...]
    size: dict[str, int]


def talk(trajectory: Trajectory, notes: dict[int, list[Note]]) -> Talk:
    """The conversation, with notes by the position of their message."""
    answers = {
        message.tool_call_id: (index, message)
        for index, message in enumerate(trajectory.messages)
        if message.role == "tool"
    }
    asked = {call.id for message in trajectory.messages for call in message.tool_calls}
    uses: defaultdict[str, int] = defaultdict(int)
    for message in trajectory.messages:
        for call in message.tool_calls:
            uses[call.name] += 1
    return Talk(
        messages=tuple(
            _message(index, message, answers, notes)
            for index, message in enumerate(trajectory.messages)
            if message.role != "tool" or message.tool_call_id not in asked
        ),
        tools=tuple(
            ToolView(name=tool.name, description=tool.description, parameters=_pretty(tool.parameters),
                     uses=uses[tool.name])
            for tool in trajectory.tools
        ),
        size=trajectory.size.model_dump(),
    )  # fmt: skip


def _message(
    index: int, message: Message, answers: dict[str | None, tuple[int, Message]], notes: dict[int, list[Note]]
) -> MessageView:
    calls: list[CallView] = []
    for call in message.tool_calls:
        at, answer = answers.get(call.id, (None, None))
        calls.append(
            CallView(
                id=call.id,
                name=call.name,
                arguments=_pretty(call.arguments),
                answer=_pretty_text(answer.content or "") if answer else None,
                answer_index=at,
                notes=tuple(notes.get(at, ())) if at is not None else (),
            )
        )
    return MessageView(
        index=index, role=message.role, content=message.content, reasoning=message.reasoning, calls=tuple(calls),
        notes=tuple(notes.get(index, ())),
    )  # fmt: skip


def _pretty(data: object) -> str:
    return indented(data, 2)


def _pretty_text(text: str) -> str:
    try:
        return _pretty(json.loads(text))
    except (ValueError, RecursionError):
        return text
