"""Tries and their journal: one line a finished try, so that an interrupted run continues."""

from pathlib import Path
from types import TracebackType
from typing import Self

from pydantic import Field, ValidationError

from gem_tasks.domain.base import Value
from gem_tasks.domain.chat import Usage
from gem_tasks.domain.evaluation import CaseScore
from gem_tasks.domain.trajectory import Message
from gem_tasks.evals.worlds.causes import Cause
from gem_tasks.files import replacing
from gem_tasks.worlds.steps import Step


class Attempt(Value):
    """One try at a case."""

    case_id: str
    category: str
    """The kind of the case."""
    epoch: int
    """Number of the try, from 1."""
    seed: int
    """Decides where numbers of new records begin."""
    reached: bool = False
    cause: Cause | None = None
    """Why the goal was missed; None if it was reached or an endpoint failed."""
    reasons: tuple[str, ...] = ()
    """What is missing from the goal."""
    ending: str = ""
    """How the conversation ended."""
    error: str | None = None
    """Why the try failed outside the model."""
    calls: int = 0
    turns: int = 0
    """Messages of the user."""
    usage: dict[str, Usage] = Field(default_factory=dict)
    """Tokens of `assistant` and `user`."""
    leaks: tuple[str, ...] = ()
    """Names of tools and codes in the user's words that the user cannot know."""
    copied: float = 0.0
    """Share of the user's sequences of four words that are in the task."""
    seconds: float = 0.0
    steps: tuple[Step, ...] = ()
    messages: tuple[Message, ...] = ()

    @property
    def score(self) -> CaseScore:
        """For the report."""
        return CaseScore(
            case_id=self.case_id,
            category=self.category,
            score=float(self.reached),
            epoch=self.epoch,
            error=self.error,
        )


class Journal:
    """`attempts.jsonl` in the folder of a run.

    Attributes:
        found: finished tries by case and number. Those that failed outside the model are not among them.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / "attempts.jsonl"
        lines = self._path.read_bytes().split(b"\n") if self._path.is_file() else []
        read = [each for each in map(_attempt, lines) if each and each.error is None]
        self.found = {(each.case_id, each.epoch): each for each in read}

    def __enter__(self) -> Self:
        """Rewrites the file without lines that a kill cut off and without failed tries."""
        with replacing(self._path) as part:
            part.write_text("".join(map(_line, self.found.values())), encoding="utf-8")
        self._file = self._path.open("a", encoding="utf-8")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Closes the file."""
        self._file.close()

    def add(self, attempt: Attempt) -> None:
        """Keeps a try."""
        self.found[attempt.case_id, attempt.epoch] = attempt
        self._file.write(_line(attempt))
        self._file.flush()


def _line(attempt: Attempt) -> str:
    return f"{attempt.model_dump_json()}\n"


def _attempt(line: bytes) -> Attempt | None:
    try:
        return Attempt.model_validate_json(line)
    except ValidationError:
        return None
