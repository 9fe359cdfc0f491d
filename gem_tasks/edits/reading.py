"""Reads messages that people wrote: strictly in the Chat Completions form, so that nothing is lost or guessed."""

import json
from collections.abc import Callable, Iterator
from typing import Any, cast, get_args

import yaml

from gem_tasks.corpus.text.harmless import harmless, harmless_json
from gem_tasks.domain.base import Json
from gem_tasks.domain.trajectory import Message, Role, ToolCall
from gem_tasks.errors import UserError
from gem_tasks.plain_yaml import read_yaml

MOST_CHARACTERS = 4_000_000
"""As long as the checks read a conversation."""
_READ = {"role", "content", "tool_calls", "tool_call_id"}
_FIX = "Write messages as `gem edit` and `gem show --json` do, and save again."


def read_conversation(text: str) -> tuple[Message, ...]:
    """The messages of a YAML or JSON text: a list of messages, or an object with `messages`.

    Raises:
        UserError: it is none; the message names the place.
    """
    if len(text) > MOST_CHARACTERS:
        raise UserError(f"The conversation has more than {MOST_CHARACTERS:,} characters", "Shorten it.")
    data = _parsed(text)
    if isinstance(data, dict) and "messages" in data:
        data = cast(Json, data)["messages"]
    return messages_of(data)


def messages_of(data: Any) -> tuple[Message, ...]:
    """Messages of a list in the form of the Chat Completions API; arguments may be objects or JSON strings.

    Raises:
        UserError: as `read_conversation`.
    """
    if not isinstance(data, list) or not data:
        raise UserError("This is not a list of messages", _FIX)
    return tuple(_message(at, each) for at, each in enumerate(cast("list[Any]", data)))


def read_arguments(text: str, where: str) -> Json:
    """Arguments of a call from JSON text.

    Raises:
        UserError: it is not a JSON object.
    """
    try:
        data = json.loads(harmless_json(text), parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise UserError(f"{where}: the arguments are not JSON ({str(error)[:120]})", "Correct them.") from None
    if not isinstance(data, dict):
        raise UserError(f"{where}: the arguments are not a JSON object", "Write {…} with a field for each argument.")
    return cast(Json, data)


def _parsed(text: str) -> Any:
    if text.lstrip()[:1] in ("[", "{"):
        for read in cast("tuple[Callable[[str], Any], ...]", (_json, _jsonl)):
            try:
                return read(text)
            except (ValueError, RecursionError):
                continue
    try:
        return read_yaml(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        line = " ".join(str(error).split())[:200]
        raise UserError(f"The text is neither YAML nor JSON ({line})", _FIX) from None


def _json(text: str) -> Any:
    return json.loads(text, parse_constant=_refuse)


def _jsonl(text: str) -> Any:
    """The only row of JSON lines."""
    (line,) = (line for line in text.split("\n") if line.strip())
    return _json(line)


def _message(at: int, data: Any) -> Message:
    where = f"message {at}"
    if not isinstance(data, dict):
        raise UserError(f"{where} is not an object with `role` and `content`", _FIX)
    row = cast(Json, data)
    if unknown := sorted(str(key)[:40] for key in row.keys() - Message.model_fields.keys()):
        raise UserError(f"{where} has fields that no message has: {', '.join(unknown)}", _FIX)
    role, content, calls = row.get("role"), row.get("content"), cast(Any, row.get("tool_calls") or [])
    if role not in get_args(Role):
        raise UserError(f"{where}: {str(role)[:40]!r} is not a role", f"Roles: {', '.join(get_args(Role))}.")
    if content is not None and not isinstance(content, str):
        raise UserError(f"{where}: the content is not text", "Put it in quotes.")
    if not isinstance(calls, list):
        raise UserError(f"{where}: `tool_calls` is not a list", _FIX)
    named = row.get("tool_call_id")
    made = Message(
        role=cast(Role, role),
        content=None if content is None else harmless(content),
        tool_calls=tuple(_calls(where, cast("list[Any]", calls))),
        tool_call_id=None if named is None else harmless(str(named)),
    )
    return made.model_copy(update={name: row[name] for name in row.keys() - _READ})


def _calls(where: str, calls: list[Any]) -> Iterator[ToolCall]:
    for number, each in enumerate(calls):
        place = f"{where}, call {number}"
        call = cast(Json, each) if isinstance(each, dict) else {}
        function = cast(Json, call["function"]) if isinstance(call.get("function"), dict) else call
        name, ident, arguments = function.get("name"), call.get("id"), function.get("arguments", {})
        if not isinstance(name, str) or not isinstance(ident, str | int):
            raise UserError(f"{place} has no `id` or no `name`", _FIX)
        yield ToolCall(id=harmless(str(ident)), name=harmless(name), arguments=_arguments(arguments, place))


def _arguments(data: Any, place: str) -> Json:
    if isinstance(data, str):
        return read_arguments(data, place)
    try:
        text = json.dumps(data, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        raise UserError(f"{place}: a value is no JSON", "Put dates, times and other words in quotes.") from None
    return read_arguments(text, place)


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
