"""What a chat template makes of a conversation with tools, found out by rendering one and looking for its parts.

A template that leaves out calls, or writes their arguments as a string within JSON, teaches the wrong thing without a
word. Most want arguments as objects; a few (DeepSeek-V3's own) put them together as text.
"""

import json
from collections.abc import Callable
from typing import Any, Literal

Messages = list[dict[str, Any]]
Render = Callable[[Messages, list[dict[str, Any]]], str]
"""Messages and tools to the text that is trained on."""
Form = Literal["object", "text"]
"""How a template reads the arguments of a call."""

TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "find_mark1",
            "description": "Finds mark2.",
            "parameters": {"type": "object", "properties": {"key_mark3": {"type": "string", "description": "A key."}}},
        },
    }
]
ARGUMENTS = {"key_mark3": 'mark4 "quoted"', "count": 3}
MESSAGES: Messages = [
    {"role": "system", "content": "Rules mark5."},
    {"role": "user", "content": "Question mark6"},
    {
        "role": "assistant",
        "content": "Text mark7.",
        "tool_calls": [
            {"id": "call00001", "type": "function", "function": {"name": "find_mark1", "arguments": ARGUMENTS}}
        ],
    },
    {"role": "tool", "tool_call_id": "call00001", "name": "find_mark1", "content": '{"found": "mark8"}'},
    {"role": "assistant", "content": "Answer mark9."},
]
PARTS = {
    "mark5": "the system message", "mark6": "what the user says", "mark1": "the name of a called tool",
    "mark4": "the arguments of calls", "mark8": "the results of tools", "mark9": "what the assistant says",
    "mark2": "the list of tools",
}  # fmt: skip
BESIDE = "mark7"
_LEAVES_OUT = "it leaves out"


def form_of(render: Render) -> tuple[Form | None, str]:
    """The form in which a template takes arguments; None, and why, when it can render neither rightly.

    Of the assistant's text beside a call, which some templates have no place for, see `drops_text`.
    """
    faults: list[str] = []
    for form in ("object", "text"):
        fault = _fault(render, form)
        if not fault:
            return form, ""
        faults.append(fault)
    return None, next((fault for fault in faults if fault.startswith(_LEAVES_OUT)), faults[0])


def drops_text(render: Render, form: Form) -> bool:
    """Whether what the assistant says beside a call is left out of the target."""
    return BESIDE not in render(as_form(MESSAGES, form), TOOLS)


def as_form(messages: Messages, form: Form) -> Messages:
    """The messages with all arguments in this form."""
    return [
        {**message, "tool_calls": [_call(call, form) for call in message["tool_calls"]]}
        if message.get("tool_calls")
        else message
        for message in messages
    ]


def _call(call: dict[str, Any], form: Form) -> dict[str, Any]:
    function = call["function"]
    arguments = function["arguments"]
    if form == "text" and not isinstance(arguments, str):
        arguments = json.dumps(arguments, ensure_ascii=False)
    if form == "object" and isinstance(arguments, str):
        arguments = json.loads(arguments)
    return {**call, "function": {**function, "arguments": arguments}}


def _fault(render: Render, form: Form) -> str:
    try:
        text = render(as_form(MESSAGES, form), TOOLS)
    except Exception as error:  # a template can raise anything
        said = (str(error).strip().splitlines() or [type(error).__name__])[0]
        return f"it refuses a conversation with tools: {said[:200]}"
    if missing := [name for mark, name in PARTS.items() if mark not in text]:
        return f"{_LEAVES_OUT} {', '.join(missing)}"
    if '\\"key_mark3' in text or "key_mark3" not in text[text.index("mark6") :]:
        return "it writes the arguments of calls as a string within JSON"
    return ""
