"""A conversation as the fields of an HTML form: a text per message, the arguments per call. Pure."""

from collections.abc import Mapping

from gem_tasks.corpus.text.harmless import harmless
from gem_tasks.domain.base import Value
from gem_tasks.domain.indented import indented
from gem_tasks.domain.trajectory import Message, ToolCall
from gem_tasks.edits.reading import read_arguments


class CallField(Value):
    """The field of a call."""

    name: str
    tool: str
    text: str
    """Arguments as JSON with line breaks."""


class MessageField(Value):
    """The fields of a message."""

    index: int
    role: str
    name: str
    text: str
    calls: tuple[CallField, ...]


def fields_of(messages: tuple[Message, ...]) -> tuple[MessageField, ...]:
    """The fields of every message."""
    return tuple(
        MessageField(
            index=at,
            role=message.role,
            name=f"content-{at}",
            text=message.content or "",
            calls=tuple(
                CallField(name=f"arguments-{at}-{number}", tool=call.name, text=indented(call.arguments, 2))
                for number, call in enumerate(message.tool_calls)
            ),
        )
        for at, message in enumerate(messages)
    )


def with_fields(messages: tuple[Message, ...], given: Mapping[str, str]) -> tuple[Message, ...]:
    """The messages with the fields that differ; browsers end lines of a form with CR LF.

    Raises:
        UserError: arguments are not a JSON object.
    """
    plain = {name: text.replace("\r\n", "\n") for name, text in given.items()}
    return tuple(_message(at, message, plain) for at, message in enumerate(messages))


def _message(at: int, message: Message, given: Mapping[str, str]) -> Message:
    text = given.get(f"content-{at}", message.content or "")
    calls = tuple(_call(at, number, call, given) for number, call in enumerate(message.tool_calls))
    if text == (message.content or ""):
        return message.model_copy(update={"tool_calls": calls})
    content = harmless(text)
    return message.model_copy(update={"tool_calls": calls, "content": content or (None if calls else "")})


def _call(at: int, number: int, call: ToolCall, given: Mapping[str, str]) -> ToolCall:
    before = indented(call.arguments, 2)
    text = given.get(f"arguments-{at}-{number}", before)
    if text == before:
        return call
    return call.model_copy(update={"arguments": read_arguments(text, f"message {at}, call {number}")})
