"""What a model did: the calls and words of an answer. Model output never raises.

Calls are read in the endpoint's form, otherwise in tags: GEM's `<func>`, and `<tool_call>`, in which many models write
calls that their server does not recognise.
"""

import re
from typing import Literal, NamedTuple

from gem_tasks.domain.chat import Completion
from gem_tasks.domain.spans import between
from gem_tasks.evals.calls.matching import Called
from gem_tasks.simulate.reading import EMPTY, Complaint, plain, read_assistant

Fault = Literal["", "malformed", "empty", "cut_off", "filtered"]
"""`malformed`: calls or tags that cannot be read; `empty`: neither words nor calls; `cut_off`: at the limit of tokens;
`filtered`: by the endpoint."""
_CALL = re.compile("<func>"), re.compile("</func>")
_OPENING = re.compile(r"\s*<assistant(?: number=\"\d+\")?>")
_OTHERS_TURN = re.compile(r"</assistant>|<(?:system|user|tool|assistant)(?: number=\"\d+\")?>")
_HERMES = re.compile(r"<(/?)tool_call>")
_TRIED = re.compile("<func>")


class Action(NamedTuple):
    """The next action of a model."""

    words: str
    calls: tuple[Called, ...]
    called: bool
    """Whether it called, or tried to."""
    spoke: bool
    """Whether it spoke to the user, and did not call. Neither holds for an unusable answer."""
    fault: Fault = ""
    ran_on: bool = False
    """Whether it also wrote others' turns, which are cut off: models without training continue the conversation."""


def read_action(answer: Completion) -> Action:
    """Reads an answer; thoughts have no part in it."""
    text = plain(answer.text)
    text = "" if text.startswith("<think>") else text  # not closed: it never came to an answer
    text = text if answer.tool_calls else _HERMES.sub(r"<\1func>", text)
    own = text if answer.tool_calls else _own_turn(text)
    ran_on = own != text
    if answer.finish_reason == "content_filter":
        return Action(own, (), called=False, spoke=False, fault="filtered")
    cut: Fault = "cut_off" if answer.finish_reason == "length" and not ran_on else ""
    turn = read_assistant(answer.model_copy(update={"text": own, "finish_reason": "stop"}), 0)
    if isinstance(turn, Complaint):
        calls = tuple(Called(call.name, None) for call in answer.tool_calls)
        called = bool(calls) or _TRIED.search(own) is not None
        fault: Fault = "empty" if turn.text == EMPTY else "malformed"
        return Action(own, calls, called=called, spoke=False, fault=cut or fault, ran_on=ran_on)
    calls = tuple(Called(call.written.name, call.arguments) for call in turn.calls)
    return Action(turn.words, calls, called=bool(calls), spoke=not calls, fault=cut, ran_on=ran_on)


def _own_turn(text: str) -> str:
    """The text up to where another's turn begins, apart from the arguments of calls."""
    opened = _OPENING.match(text)
    start = opened.end() if opened else 0
    outside = list(text)
    for call in between(text, *_CALL):
        outside[call.start : call.end] = " " * (call.end - call.start)
    ends = _OTHERS_TURN.search("".join(outside), start)
    return text[start : ends.start() if ends else None].strip()
