"""What kind of turn an assistant's message is. Pure.

Calls are counted. Words are told apart by form, in English and German: a turn that waits for the user's answer or deed
is `ask`; otherwise one that says that something wished is not possible or not allowed is `refuse`; all others are
`report`. That is a guess: docs/next-actions.md has its measured error, and no main figure depends on it.
"""

import re
from typing import Literal

from gem_tasks.domain.trajectory import Message
from gem_tasks.patterns import IgnoringCase

Kind = Literal["single", "parallel", "ask", "refuse", "report"]
"""`single`: one call; `parallel`: several in one turn; the others: words without a call."""
CALLING: tuple[Kind, ...] = ("single", "parallel")
SPEAKING: tuple[Kind, ...] = ("ask", "refuse", "report")

_SENTENCE_ENDS = re.compile(r"(?<=[.!?])\s|\n")
_COURTESY = IgnoringCase(r"\b(?:anything else|something else|noch etwas|sonst noch)\b")
"""A question with one of these at the end of a report waits for nothing."""
_ASKS = IgnoringCase(
    r"\?|\b(?:tell me|let me know|give me|send me|from you i need|i(?:'ll| will)? need (?:to know|your|the|from you)"
    r"|please (?:tell|give|send|provide|share|confirm|check|choose|pick|specify|enter|look|have a)"
    r"|confirm (?:that|if|whether|the|this)|sag(?:en sie)? mir|gib mir|bitte (?:nenn|bestätig|geben|sagen|prüf)\w*)\b"
)
_REFUSES = IgnoringCase(
    r"\b(?:can(?:no|['’])t|can not|(?:is|are|was)(?: not|n['’]t) (?:possible|allowed|permitted|available|supported)"
    r"|(?:do|does|wo|will)(?: not|n['’]t) (?:work|do|go)|not (?:able|allowed|possible|permitted)|impossible|unable"
    r"|(?:have|there['’]s|there is|has) no (?:tool|way)|must(?: not|n['’]t)|may not|(?:refuse|decline|forbid)\w*"
    r"|kann (?:ich )?(?:\w+ ){0,3}nicht|nicht (?:möglich|erlaubt|zulässig)|geht (?:leider )?nicht|darf nicht)\b"
)


def kind_of(message: Message) -> Kind:
    """The kind of an assistant's message."""
    if message.tool_calls:
        return "parallel" if len(message.tool_calls) > 1 else "single"
    return kind_of_words(message.content or "")


def kind_of_words(words: str) -> Kind:
    """The kind of a turn without calls."""
    sentences = _SENTENCE_ENDS.split(words)
    said = "\n".join(each for each in sentences if not (each.endswith("?") and _COURTESY.search(each)))
    if _ASKS.search(said):
        return "ask"
    return "refuse" if _REFUSES.search(said) else "report"
