"""The base of every stage: builds a request from a record, and parses the answer. No I/O; a bad answer never raises.

The name of a stage is also the name of its prompt's file, its output in `Record`, its rows in tables and its task in
the DAG.
"""

from abc import ABC, abstractmethod
from typing import Literal

from gem_tasks.domain.base import Json, Value
from gem_tasks.domain.chat import ChatMessage, Sampling
from gem_tasks.domain.outcome import Accepted, Malformed, Rejected
from gem_tasks.domain.record import Record
from gem_tasks.domain.stage import StageName, prompt_of
from gem_tasks.errors import ErrorClass
from gem_tasks.prompts import Prompt

Takes = Literal["accepted", "rejected"]

COMPLAINT = "{complaint}"
"""Placeholder of the parser's complaint in the prompt `repair`."""


class Stage(ABC):
    """One LLM stage."""

    name: StageName
    version: int
    """Part of the recipe: raise it when `request`, `parse` or `precheck` changes meaning."""
    sampling: Sampling
    output: type[Value]
    """Type of the accepted payload."""
    asks_for: tuple[str, ...]
    """The tags or keys that `parse` reads, which every prompt of the stage must mention."""
    answer_schema: Json | None = None
    """JSON schema of an answer in JSON; None for tagged text."""
    needs: tuple[StageName, ...] = ()
    """Stages whose output `request` and `precheck` read."""
    takes: Takes = "accepted"
    """The outcome of the preceding stage that this stage processes."""
    slow = False
    """Whether `parse` takes seconds, so that it must not run in an event loop."""
    reads_thoughts = False
    """Whether `parse` reads private thoughts in the assistant's turns: see `stages.thoughts`."""

    @property
    def prompt(self) -> str:
        """Name of its prompt."""
        return prompt_of(self.name)

    def precheck(self, record: Record) -> Rejected | None:
        """Returns a verdict that needs no model; None by default."""
        return None

    @abstractmethod
    def request(self, record: Record, prompt: Prompt) -> tuple[ChatMessage, ...]:
        """Builds the messages: the prompt's instructions, then this record's data."""

    @abstractmethod
    def parse(self, text: str, record: Record) -> Accepted | Rejected | Malformed:
        """Reads a complete answer. Never raises on model output."""

    def refusal(self, error_class: ErrorClass, detail: str, record: Record) -> Rejected | None:
        """Returns a verdict on an answer that cannot be used; None: the model is asked once more, then it failed."""
        return None


def repair(prompt: Prompt, request: tuple[ChatMessage, ...], answer: str, complaint: str) -> tuple[ChatMessage, ...]:
    """Builds the messages that request the same answer again, with the parser's complaint."""
    # str.replace, not str.format: prompt and complaint may contain braces.
    wanted = prompt.text.replace(COMPLAINT, complaint)
    return (
        *request,
        ChatMessage(role="assistant", content=answer),
        ChatMessage(role="user", content=wanted),
    )
