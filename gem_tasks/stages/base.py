"""What every stage is: a request built from a record, and a parser for the answer. No I/O; a bad answer never raises.

The stage's name is also its prompt's file name, its output's in `Record`, its row in every table and its task in the
DAG.
"""

from abc import ABC, abstractmethod
from typing import Literal

from gem_tasks.domain.base import Json, Value
from gem_tasks.domain.chat import ChatMessage, Sampling
from gem_tasks.domain.outcome import Accepted, Malformed, Rejected
from gem_tasks.domain.record import Record
from gem_tasks.domain.stage import StageName, prompt_of
from gem_tasks.prompts import Prompt

Takes = Literal["accepted", "rejected"]

COMPLAINT = "{complaint}"
"""In the prompt `repair`: where the parser's complaint goes."""


class Stage(ABC):
    """One LLM stage."""

    name: StageName
    version: int
    """Raise it when `request`, `parse` or `precheck` changes meaning; part of the recipe."""
    sampling: Sampling
    output: type[Value]
    """Type of the accepted payload."""
    asks_for: tuple[str, ...]
    """What every prompt of the stage must mention, shipped or the user's: the tags or keys that `parse` reads."""
    answer_schema: Json | None = None
    """JSON schema of the answer, where the answer is JSON; None for tagged text."""
    needs: tuple[StageName, ...] = ()
    """Stages whose output `request` and `precheck` read."""
    takes: Takes = "accepted"
    """Which outcomes of the stage before it deals with."""

    @property
    def prompt(self) -> str:
        """Name of its prompt."""
        return prompt_of(self.name)

    def precheck(self, record: Record) -> Rejected | None:
        """A verdict that needs no model; by default there is none."""
        return None

    @abstractmethod
    def request(self, record: Record, prompt: Prompt) -> tuple[ChatMessage, ...]:
        """The prompt's instructions, and this record's data."""

    @abstractmethod
    def parse(self, text: str, record: Record) -> Accepted | Rejected | Malformed:
        """Reads a complete answer. Never raises on model output."""


def repair(prompt: Prompt, request: tuple[ChatMessage, ...], answer: str, complaint: str) -> tuple[ChatMessage, ...]:
    """The conversation that asks for the same answer again, with the parser's complaint."""
    # str.replace, not str.format: prompt and complaint may contain braces.
    wanted = prompt.text.replace(COMPLAINT, complaint)
    return (
        *request,
        ChatMessage(role="assistant", content=answer),
        ChatMessage(role="user", content=wanted),
    )
