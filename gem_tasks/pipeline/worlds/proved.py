"""Stages whose answers are tried out: what a model wrote is accepted once its code has run.

A stage reads the form of an answer and runs nothing. What runs code stands here by the name of the stage. A complaint
goes back to the model once, like any answer that cannot be read.
"""

import logging
from collections.abc import Callable, Mapping
from typing import Any

from gem_tasks.confine.job import SandboxMode
from gem_tasks.domain.base import Value
from gem_tasks.domain.chat import ChatMessage
from gem_tasks.domain.outcome import Accepted, Malformed, Rejected
from gem_tasks.domain.record import Record
from gem_tasks.domain.stage import StageName
from gem_tasks.errors import GemError
from gem_tasks.prompts import Prompt
from gem_tasks.stages.base import Stage
from gem_tasks.stages.generate import main_workflow
from gem_tasks.worlds.built import Built
from gem_tasks.worlds.goals.proven import proven
from gem_tasks.worlds.task import Tasks
from gem_tasks.worlds.trials.tried import tried

logger = logging.getLogger(__name__)

Proof = Callable[[Any, Record, SandboxMode], Value | str]
"""Takes the output of a stage and its record; returns the output with what was found, or a complaint to the model."""


def _world(built: Built, record: Record, mode: SandboxMode) -> Built | str:
    return tried(built, main_workflow(record), mode=mode)


def _tasks(tasks: Tasks, record: Record, mode: SandboxMode) -> Tasks | str:
    return proven(tasks, record.needed("world", Built), mode=mode)


PROOFS: Mapping[StageName, Proof] = {"world": _world, "task": _tasks}


class Proved(Stage):
    """A stage whose accepted answers are tried out; otherwise the same stage."""

    slow = True

    def __init__(self, stage: Stage, proof: Proof, mode: SandboxMode) -> None:
        self._stage, self._proof = stage, proof
        self._mode: SandboxMode = mode
        self.name, self.version, self.sampling = stage.name, stage.version, stage.sampling
        self.needs, self.takes, self.output, self.asks_for = stage.needs, stage.takes, stage.output, stage.asks_for
        self.answer_schema = stage.answer_schema

    def precheck(self, record: Record) -> Rejected | None:
        """Returns the verdict of the wrapped stage."""
        return self._stage.precheck(record)

    def request(self, record: Record, prompt: Prompt) -> tuple[ChatMessage, ...]:
        """Builds the wrapped stage's messages."""
        return self._stage.request(record, prompt)

    def parse(self, text: str, record: Record) -> Accepted | Rejected | Malformed:
        """Reads the answer, then tries it out, which takes seconds."""
        read = self._stage.parse(text, record)
        if not isinstance(read, Accepted):
            return read
        try:
            found = self._proof(self.output.model_validate_json(read.payload), record, self._mode)
        except GemError:
            raise  # this machine cannot run worlds: no answer is at fault
        except Exception as error:  # a model's code may do anything to ours: the run continues
            logger.exception("%s: trying out segment %s failed", self.name, record.segment.segment_id)
            return Malformed(complaint=f"It could not be tried out: {error!r}"[:500])
        return Malformed(complaint=found) if isinstance(found, str) else Accepted.of(found)


def proved(stage: Stage, mode: SandboxMode) -> Stage:
    """The stage with its proof, if it has one.

    Args:
        stage: the stage.
        mode: strictness of the sandbox in which code runs.
    """
    proof = PROOFS.get(stage.name)
    return Proved(stage, proof, mode) if proof else stage
