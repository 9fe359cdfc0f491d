"""What kind of turn an assistant's message is. Pure.

Calls are counted. Words are told apart by form, in English and German: a turn that waits for the user's answer or deed
is `ask`; otherwise one that says that something wished is not possible or not allowed is `refuse`; all others are
`report`. That is a guess: docs/evaluation.md has its measured error, and no main figure depends on it.
"""

import re
from typing import Literal

from gem_tasks.domain.trajectory import Message
from gem_tasks.patterns import IgnoringCase

Kind = Literal["single", "parallel", "ask", "refuse", "report"]
"""`single`: one call; `parallel`: several in one turn; the others: words without a call."""
CALLING: tuple[Kind, ...] = ("single", "parallel")
SPEAKING: tuple[Kind, ...] = ("ask", "refuse", "report")

_QUOTED = re.compile(r"\"[^\"\n]{0,200}\"|“[^”\n]{0,200}”|`[^`\n]{0,200}`")
_COURTESY = IgnoringCase(r"[^.!?\n]{0,80}\b(?:(?:any|some)thing else|noch etwas|sonst noch)\b[^.!?\n]{0,80}\?")
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
    said = _COURTESY.sub(lambda _: " ", _QUOTED.sub(" ", words))
    if _ASKS.search(said):
        return "ask"
    return "refuse" if _REFUSES.search(said) else "report"
