"""Traces of the format or the prompt in a message or an argument: tags, role labels, template tokens, reasoning.

Sources of the tokens: the chat templates of Qwen, Llama 2 and 3, Mistral, DeepSeek, GLM and Gemma, and the tool-call
tags of Hermes, Qwen-Coder and Claude. A model trained on a leak learns to emit it in the middle of its answer.
"""

import re
from collections.abc import Iterator

from gem_tasks.checks.faults import Fault, finding
from gem_tasks.checks.reading.case import Case, scalars
from gem_tasks.domain.finding import Finding
from gem_tasks.domain.trajectory import Message
from gem_tasks.patterns import IgnoringCase
from gem_tasks.prompts.tags import TURN_TAGS, turn_tag

CHECK = "leak"

_TEMPLATE_TOKEN = IgnoringCase(
    # Alternatives with a common prefix are grouped, so that the engine reads a character once.
    r"<(?:[|｜][\w▁ -]{1,40}[|｜]>|</?SYS>>|(?:start|end)_of_turn>"
    r"|/?(?:tool_(?:calls?|responses?|results?|use)|function_(?:calls?|results?|response)|invoke|antml:\w+)\b[^<>]{0,80}>"
    r"|function=\w+>|/function>|parameter(?:=\w+|\s+name=)"
    r"|/?(?:think(?:ing)?|reasoning|scratchpad|reflection|inner_monologue|chain_of_thought|observation)\b[^<>]{0,40}>"
    rf"|(?:{'|'.join(TURN_TAGS)})\s+\w+\s*=[^<>]{{0,80}}>)"
    r"|\[(?:/?INST|/?TOOL_(?:CALLS|RESULTS)|AVAILABLE_TOOLS)\]",
)
_BRACKETED = IgnoringCase(r"\[/?[ita]")
"""Beginnings of those without `<`: JSON is full of other brackets."""
_LABEL = IgnoringCase(r"\s*(?:#{1,4}\s*|\*\*)?(human|assistant)(?:\*\*)?\s*:(?:\*\*)?\s")
_OTHER_SPEAKER = re.compile(
    r"^[ \t]*(?:#{1,4} ?(?:User|Human|Assistant|Instruction)\s*:?\s*$"
    r"|(?:Human|Assistant|Thought|Action Input)\s*:\s)",
    re.MULTILINE,
)
_META = IgnoringCase(
    r"\b(?:candidate tools|the (?:given|provided|source) (?:text|workflow)"
    r"|(?:this|the) trajectory (?:shows|demonstrates)"
    r"|(?:rule conflict|error recovery|multi-hop|domain rules) pattern|as an ai language model)\b",
)
_META_WORDS = ("candidate tools", "text", "workflow", "trajectory", "pattern", "language model")
"""Each of those contains one of these: the pattern is slow."""
_SPEAKERS = frozenset({"user", "assistant"})
_LABELS_OF = {"user": {"human"}, "assistant": {"assistant", "human"}, "system": set[str](), "tool": {"assistant"}}
"""Labels that no message of a role begins with by chance: `User: JWEBER` may well be its subject."""


def check(case: Case) -> Iterator[Finding]:
    """Findings for tags, template tokens, role labels and talk about the prompt."""
    for index, message in enumerate(case.messages):
        yield from _text(message, index)
        if message.reasoning and (found := _token(message.reasoning)):
            yield finding(Fault.TOKEN, f"a thought contains {found}", index)
        for call in message.tool_calls:
            for path, _, value in scalars(call.arguments):
                if isinstance(value, str) and "<" in value and (found := _token(value)):
                    detail = f"{call.name} is called with {found}"
                    yield finding(Fault.TOKEN, detail, index, path)


def _text(message: Message, index: int) -> Iterator[Finding]:
    text = message.content or ""
    if found := _token(text):
        yield finding(Fault.TOKEN, f"{message.role} contains {found}", index)
    label = _LABEL.match(text) if ":" in text else None
    if label and label[1] in _LABELS_OF[message.role]:
        yield finding(Fault.ROLE_LABEL, f"{message.role} begins with {text[: label.end()].strip()}", index)
    elif message.role in _SPEAKERS and (":" in text or "#" in text) and (other := _OTHER_SPEAKER.search(text)):
        yield finding(Fault.ROLE_LABEL, f"{message.role} contains {other[0].strip()}", index)
    if message.role in _SPEAKERS and (meta := _speaks_of_itself(text)):
        yield finding(Fault.PROMPT_TALK, f"{message.role} speaks of its making: {meta!r}", index)


def _speaks_of_itself(text: str) -> str | None:
    lowered = text.lower()
    return _META.first(text) if any(word in lowered for word in _META_WORDS) else None


def _token(text: str) -> str | None:
    if "<" not in text and not ("[" in text and _BRACKETED.search(text)):
        return None
    return turn_tag(text) or _TEMPLATE_TOKEN.first(text)
