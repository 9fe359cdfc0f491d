"""Private thoughts of the assistant, one before each of its turns, in the stages that write or judge conversations.

| setting | request | answer |
|---|---|---|
| `off` | as without thoughts | a thought inside a turn is a stray tag |
| `ask` | with the note `thoughts.md` below the prompt, GEM's or the user's | thoughts are read |
| `keep` | as without thoughts | thoughts that a model writes by itself are read |

A model that thinks before it answers thinks about the whole conversation as its writer: those thoughts are no part of
it, and the client removes them. Judges get a note on what thoughts are, because they see them.
"""

from copy import copy
from functools import lru_cache

from gem_tasks.checks.thoughts import THOUGHTS_VERSION
from gem_tasks.domain.base import Json
from gem_tasks.domain.chat import ChatMessage
from gem_tasks.domain.outcome import Accepted, Malformed, Rejected
from gem_tasks.domain.record import Record
from gem_tasks.domain.stage import Reasoning
from gem_tasks.prompts import Prompt, load
from gem_tasks.stages.base import Stage

REASONING = "reasoning"
"""Name of the setting in recipes."""
_WRITERS = ("generate", "refine", "revise")
_JUDGES = ("validate", "revalidate")


class WithThoughts(Stage):
    """A stage for conversations whose assistant thinks; otherwise the same stage."""

    def __init__(self, stage: Stage, reasoning: Reasoning) -> None:
        self._stage = copy(stage)
        self._stage.reads_thoughts = True
        self._judges = stage.name in _JUDGES
        self._note = "thoughts.judge" if self._judges else "thoughts" if reasoning == "ask" else None
        self._reasoning = reasoning
        self.name, self.version, self.sampling = stage.name, stage.version, stage.sampling
        self.needs, self.takes, self.output, self.asks_for = stage.needs, stage.takes, stage.output, stage.asks_for
        self.answer_schema = stage.answer_schema

    @property
    def params(self) -> Json:
        """The part that belongs in a recipe."""
        note = load(self._note).sha256 if self._note else None
        checks = {"checks": THOUGHTS_VERSION} if self._judges else {}
        return {REASONING: {"setting": self._reasoning, "note": note, **checks}}

    def precheck(self, record: Record) -> Rejected | None:
        """Returns the verdict of the wrapped stage."""
        return self._stage.precheck(record)

    def request(self, record: Record, prompt: Prompt) -> tuple[ChatMessage, ...]:
        """Builds the wrapped stage's messages, with the note below the prompt."""
        if self._note:
            # Not a copy, which would keep the cached system message.
            prompt = Prompt(name=prompt.name, text=_noted(prompt.text, self._note), origin=prompt.origin)
        return self._stage.request(record, prompt)

    def parse(self, text: str, record: Record) -> Accepted | Rejected | Malformed:
        """Reads the answer with its thoughts."""
        return self._stage.parse(text, record)


def with_thoughts(stage: Stage, reasoning: Reasoning) -> Stage:
    """The stage under the setting; unchanged if it neither writes nor judges conversations, or thoughts are off."""
    return WithThoughts(stage, reasoning) if reasoning != "off" and stage.name in _WRITERS + _JUDGES else stage


def reasoning_of(params: Json) -> Reasoning:
    """The setting in a recipe's parameters."""
    return params.get(REASONING, {}).get("setting", "off")


@lru_cache(maxsize=16)
def _noted(text: str, note: str) -> str:
    return f"{text.rstrip()}\n\n{load(note).text}"
