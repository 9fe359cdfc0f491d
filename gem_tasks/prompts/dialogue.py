"""The tagged format of a trajectory in prompts, completions and synthesizer training.

    <trajectory>
    <system>rules</system>
    <user>words</user>
    <assistant>words <func>{"name": "f", "arguments": {}}</func> <func>…</func></assistant>
    <tool>{"result": 1}</tool>        one per call, in the order of the calls
    <tool>{"error": "…"}</tool>
    <assistant>words</assistant>
    </trajectory>

The format has no call ids: they follow from the order, `call_1`, `call_2`, … If a reader has to cite single messages,
the turns have numbers, from 0: `<user number="1">`.

With thoughts, an assistant's turn may hold `<thought>…</thought>`. The tag is none of those in which models think by
themselves (`<think>`): many servers cut an answer at these, wherever they are.
"""

import json
import re
from collections import Counter, deque
from collections.abc import Iterable
from typing import Any

from pydantic import ValidationError

from gem_tasks.domain.spans import between, without
from gem_tasks.domain.trajectory import Message, ToolCall, Trajectory
from gem_tasks.domain.workflow import ToolSpec
from gem_tasks.prompts.tags import TagError, json_list, one, parse_json, turn_tag

TAGS = ("<trajectory>", "<system>", "<user>", "<assistant>", "<tool>", "<func>")
_TURN = re.compile(r"\s*<(system|user|assistant|tool)(?: number=\"\d+\")?>(.*?)</\1>", re.DOTALL)
_CALL = re.compile("<func>"), re.compile("</func>")
_THOUGHT = re.compile(r"<(?:thought|think|thinking)>"), re.compile(r"</(?:thought|think|thinking)>")
_THOUGHT_ENDS = re.compile(r"\A<\w+>|</\w+>\Z")
_THOUGHT_TAG = re.compile(r"</?thought>")


def render_tools(tools: Iterable[ToolSpec]) -> str:
    """A JSON list of `{"name", "description", "parameters"}`, one tool per line."""
    lines = ",\n".join(json.dumps(tool.model_dump(), ensure_ascii=False) for tool in tools)
    return f"[\n{lines}\n]"


def parse_tools(text: str, what: str = "<tools>") -> tuple[ToolSpec, ...]:
    """Reads the output of `render_tools`, and other forms that `ToolSpec.from_json` accepts.

    Raises:
        TagError: not a list of tool definitions, empty, or a name is defined twice.
    """
    tools: list[ToolSpec] = []
    for item in json_list(text, what):
        try:
            tools.append(ToolSpec.from_json(item))
        except (KeyError, TypeError, ValidationError) as error:
            raise TagError(f"{what}: a tool needs name, description and parameters; at fault: {error}") from None
    names = Counter(tool.name for tool in tools)
    doubled = next((name for name, count in names.items() if count > 1), None)
    if not tools or doubled:
        raise TagError(f"{what}: the tool {doubled!r} is defined twice" if doubled else f"{what} is empty")
    return tuple(tools)


def render_trajectory(messages: Iterable[Message], *, numbered: bool = False) -> str:
    """Writes the turns in the format above, optionally with the numbers of `Finding.message_index`."""
    turns: list[str] = []
    for index, message in enumerate(messages):
        number = f' number="{index}"' if numbered else ""
        parts = [f"<thought>{message.reasoning}</thought>"] if message.reasoning else []
        parts += [message.content] if message.content else []
        parts += [render_call(call.name, call.arguments) for call in message.tool_calls]
        turns.append(f"<{message.role}{number}>\n" + "\n".join(parts) + f"\n</{message.role}>")
    return "<trajectory>\n" + "\n".join(turns) + "\n</trajectory>"


def render_call(name: str, arguments: Any) -> str:
    """Writes one call."""
    body = json.dumps({"name": name, "arguments": arguments}, ensure_ascii=False)
    body = body.replace("<", "\\u003c")  # the same JSON, and no argument can pose as a tag
    return f"<func>{body}</func>"


def parse_trajectory(text: str, tools: tuple[ToolSpec, ...], *, thoughts: bool = False) -> Trajectory:
    """Reads the only `<trajectory>` of a completion. Checks only the format; the checks decide about quality.

    Args:
        text: the completion.
        tools: those of the conversation.
        thoughts: whether the assistant's turns may hold thoughts, also in tags of models' own (`<think>`).

    Raises:
        TagError: unclosed or stray tags, text between turns, broken JSON, or tool turns that answer no call.
    """
    body = one(text, "trajectory")
    messages: list[Message] = []
    waiting = deque[str]()
    calls = position = 0
    while match := _TURN.match(body, position):
        position = match.end()
        role, content = match[1], match[2].strip()
        where = f"message {len(messages)} <{role}>"
        if role == "assistant":
            thought, said = _apart(content, where) if thoughts else (None, content)
            message = parse_assistant(said, where, calls, thought)
            calls += len(message.tool_calls)
            waiting = deque(call.id for call in message.tool_calls)
        elif role == "tool":
            if not waiting:
                raise TagError(f"{where} answers no call: write one <tool> per <func>, right after its <assistant>")
            message = Message(role="tool", content=_plain(content, where), tool_call_id=waiting.popleft())
        else:
            message = Message(role=role, content=_plain(content, where))  # pyright: ignore[reportArgumentType]
        messages.append(message)
    rest = body[position:].strip()
    if rest:
        raise TagError(f"after message {len(messages)}: expected a closed turn, found {rest[:60]!r}")
    if not messages:
        raise TagError("<trajectory> is empty")
    return Trajectory(tools=tools, messages=tuple(messages))


def _plain(content: str, where: str) -> str:
    if tag := turn_tag(content):
        raise TagError(f"{where} contains {tag}: the tags of the conversation's form may not appear inside a turn")
    return content


def _apart(content: str, where: str) -> tuple[str | None, str]:
    """`(thought, the rest)` of an assistant's turn: several thoughts become one."""
    outside = content
    for call in between(content, *_CALL):  # the arguments of a call may hold any text
        outside = outside[: call.start] + " " * (call.end - call.start) + outside[call.end :]
    spans = list(between(outside, *_THOUGHT))
    inner = (_THOUGHT_ENDS.sub("", content[span.start : span.end]).strip() for span in spans)
    thought = "\n".join(filter(None, inner))
    if _THOUGHT_TAG.search(thought) or _THOUGHT_TAG.search(without(outside, spans)):
        raise TagError(f"{where}: <thought> is not closed by </thought>, closed twice, or within another")
    return _plain(thought, where) or None, without(content, spans).strip()


def parse_assistant(content: str, where: str, calls_before: int, thought: str | None = None) -> Message:
    """Reads one turn of the assistant: words, and calls with ids that follow those before.

    Raises:
        TagError: broken JSON, an unclosed call, or tags of the conversation within the words.
    """
    calls: list[ToolCall] = []
    for index, span in enumerate(between(content, *_CALL), start=calls_before + 1):
        data = parse_json(span.inner, f"{where} <func>")
        match data:
            case {"name": str(name), "arguments": dict()}:
                calls.append(ToolCall(id=f"call_{index}", name=name, arguments=data["arguments"]))
            case _:
                raise TagError(f'{where} <func> must be {{"name": "…", "arguments": {{…}}}}')
    words = _plain(without(content, between(content, *_CALL)).strip(), where)
    return Message(role="assistant", content=words or None, tool_calls=tuple(calls), reasoning=thought)
